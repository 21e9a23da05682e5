import { openEvaluator } from '../../engine/open';
import { requireOwned } from '../../files/fence';
import { bestValues } from '../checkpoint/adapter-files';
import { taskInForm } from '../loop/adapter-form';
import { evaluateDataset } from '../loop/evaluate';
import type { BestEvaluation, LoopEnd } from '../loop/loop';
import { MicroBatches } from '../micro-batch/micro-batches';
import type { Task } from '../task/task';
import type { EvaluationData } from '../task/evaluation-data';
import type { RunContext } from './context';
import { Stopped, stopWatch } from './stopped';

/**
 * Scores the best adapter on data.test and data.evaluations when training has ended, and records each score. The whole
 * task is evaluated, also where training reused the values below the adapters. A run that diverged is not scored.
 *
 * @param whole the task as the experiment defines it
 * @returns the end of the run: that of its loop, or a request to stop during scoring, which a resume then repeats
 * @throws AuroraError 'inputs' if the model was changed
 */
export async function scoreSets(
  context: RunContext,
  end: LoopEnd,
  whole: Task,
  sets: readonly EvaluationData[],
): Promise<LoopEnd> {
  const { state, plan } = context;
  if ((end !== 'finished' && end !== 'early-stopping') || sets.length === 0) return end;
  if (state.last === undefined || state.last === 'diverged') return end;
  const best: BestEvaluation = (state.best ??= { step: state.step, metrics: state.last });
  const task = taskInForm(whole, plan.trainedForm(best.step));
  try {
    await scoreAll(context, best, task, sets);
    return end;
  } catch (e) {
    if (e instanceof Stopped) return e.reason;
    throw e;
  }
}

async function scoreAll(
  context: RunContext,
  best: BestEvaluation,
  task: Task,
  sets: readonly EvaluationData[],
): Promise<void> {
  const { open, guard, state, totals, scored, device, plan } = context;
  const { step } = best;
  const parameters = step === state.step ? state.parameters : bestValues(open.run, step, task.adapters);
  if (!parameters) {
    open.warn(`The best adapter, of step ${step}, is gone: it was not scored on the evaluation sets.`);
    return;
  }
  const evaluator = await openInstead(context, task);
  const micro = new MicroBatches(task, evaluator, device.place, open.warn, context.phase.micro.known());
  for (const { set, data } of sets) {
    const { dataset } = data.validation;
    const began = performance.now();
    open.listener.scoring(set, dataset.examples.length);
    const watch = stopWatch(open);
    const metrics = await evaluateDataset(evaluator, { ...task, data }, micro, dataset, parameters, watch);
    guard.check(state.step);
    const seconds = (performance.now() - began) / 1000;
    totals.seconds += seconds;
    const event = open.journal.append({
      kind: 'test-evaluation',
      step,
      set: set.name,
      metrics,
      seconds,
      ...(plan.trainedForm(step) === 'static' && { form: 'static' as const }),
    });
    scored.push(event);
    open.listener.scored(set, metrics);
  }
}

/** Replaces the training session: the device may not be able to hold both. */
async function openInstead({ open, guard, state, device, phase }: RunContext, task: Task) {
  open.stepper = undefined;
  requireOwned(open.run);
  await phase.stepper.dispose();
  guard.opened(state.step);
  const { place } = device;
  const options = { place, threads: open.options.threads };
  const evaluator = await openEvaluator(task.model, task.infos, task.graph, open.graphs, options);
  open.stepper = evaluator;
  guard.opened(state.step);
  return evaluator;
}
