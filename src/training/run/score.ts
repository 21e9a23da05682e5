import { freemem } from 'node:os';
import { join } from 'node:path';
import { loadModelFrom } from '../../architectures/load';
import type { ModelSource } from '../../architectures/model-source';
import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';
import { openEvaluator } from '../../engine/open-task';
import type { Experiment } from '../../experiment/experiment';
import { HEAD_ALONE } from '../../experiment/methods';
import { requireOwned } from '../../files/fence';
import { temporaryFolderFor } from '../../files/system-temporary';
import { elementCount } from '../../graph/model';
import type { Evaluated } from '../../protocol/events';
import { taskKind } from '../../tasks/task-registry';
import { bestValues } from '../checkpoint/adapter-files';
import { withEncodings } from '../diffusion/encode-data';
import { taskInForm } from '../loop/adapter-form';
import { evaluateDataset } from '../loop/evaluate';
import type { BestEvaluation, LoopEnd } from '../loop/loop';
import { Stopped } from '../loop/stopped';
import { measureTask } from '../measure';
import { availableMemory } from '../micro-batch/available';
import { MicroBatches } from '../micro-batch/micro-batches';
import { removedAtEnd } from '../process/removed-at-exit';
import { adaptModel } from '../task/adapted-model';
import type { EvaluationData } from '../task/evaluation-data';
import { makeTask, prepareTask, type Task } from '../task/task';
import { stopWatch, writingWatch } from './conclude';
import type { RunContext } from './open-run';

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
    const metrics = await evaluateDataset(
      evaluator,
      { ...task, data },
      micro,
      dataset,
      parameters,
      stopWatch(open),
      writingWatch(open, true),
    );
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

/**
 * Loss and metrics on the validation data of a model as its file has it: the starting point of a run that trains no
 * head. Leaves signals alone, since a run that follows saves before it ends.
 *
 * @param watch called after each example, and before each token of a written answer
 * @param source of the model, if it is known
 */
export async function measureUntrained(
  spec: Experiment,
  watch?: () => void,
  source?: ModelSource,
): Promise<Evaluated> {
  const folder = temporaryFolderFor('untrained');
  const remove = removedAtEnd(folder);
  try {
    const encodings = { keep: join(folder, 'encoded'), folder: join(folder, 'encoder'), threads: 0 };
    const load = withEncodings(taskKind(spec.task).load, encodings);
    const task = await prepareTask({ ...spec, adapter: HEAD_ALONE }, folder, { source, load });
    return (await measureTask(task, new Map(), folder, { seen: watch, watch })).metrics;
  } finally {
    remove();
  }
}

/** The runtime may hold a weight twice: as it is stored, and in the order in which it multiplies. */
const COPIES = 2;

/**
 * After training with `model.quantize`, measures the cost of quantization on the validation data, and records it: the
 * losses of the model itself in few bits and in float32, or, if the run trained a head, without which the model has no
 * loss, those of the best adapter on both. Skipped with a warning if the model in float32 is too large for memory. Call
 * when the files of the model have been verified.
 *
 * @param whole the task as the experiment defines it
 * @returns the end of the run: as before, or by a request to stop during the measurement, which a resume then repeats
 */
export async function measureQuantization(context: RunContext, end: LoopEnd, whole: Task): Promise<LoopEnd> {
  const { open, guard, state } = context;
  const bits = open.spec.model.quantize;
  if ((end !== 'finished' && end !== 'early-stopping') || bits === undefined) return end;
  if (state.last === undefined || state.last === 'diverged') return end;
  requireOwned(open.run);
  // The device may not be able to hold another model. The files of this one have been verified.
  const { stepper } = open;
  open.stepper = undefined;
  await guard.end(() => stepper?.dispose());
  const needed = COPIES * float32Bytes(whole.source);
  const available = availableMemory() ?? freemem();
  if (needed > available) {
    open.warn(
      `The cost of model.quantize was not measured: ${open.spec.model.path} in float32 may need ${bytes(needed)}, and ${bytes(available)} are available.`,
    );
    return end;
  }
  try {
    await measure(context, whole, bits);
    return end;
  } catch (e) {
    if (e instanceof Stopped) return e.reason;
    if (!(e instanceof AuroraError) || e.kind === 'lost') throw e;
    // The run itself is complete.
    open.warn(`The cost of model.quantize was not measured: ${e.message}`);
    return end;
  }
}

/** The size of all its weights. */
const float32Bytes = (source: ModelSource): number =>
  [...loadModelFrom(source, 'stored').graph.initializers.values()].reduce(
    (n, t) => n + 4 * elementCount(t.dims),
    0,
  );

async function measure(context: RunContext, whole: Task, bits: 4 | 8): Promise<void> {
  const { open, state, totals } = context;
  const model = { ...open.spec.model };
  delete model.quantize;
  // With the ranks that the data gave its layers.
  const full: Experiment = { ...whole.spec, model };
  const best = state.best ?? { step: state.step, metrics: state.last as Exclude<Evaluated, 'diverged'> };
  const watch = stopWatch(open);
  const began = performance.now();
  open.listener.measuringQuantization();
  const of = whole.head ? ('adapter' as const) : ('model' as const);
  const [quantized, float32] = whole.head
    ? [best.metrics, await measureAdapter(context, whole, full, best.step, watch)]
    : [
        await measureUntrained(open.spec, watch, whole.source),
        await measureUntrained(full, watch, whole.source),
      ];
  if (float32 === undefined) return;
  const seconds = (performance.now() - began) / 1000;
  totals.seconds += seconds;
  const cost = { step: best.step, bits, of, quantized, float32 };
  open.journal.append({ kind: 'quantization-cost', ...cost, seconds });
  context.quantization = cost;
  open.listener.quantization(cost);
}

/** The best adapter on the model in float32; undefined if its values are gone. */
async function measureAdapter(
  { open, state, plan }: RunContext,
  whole: Task,
  full: Experiment,
  step: number,
  watch: () => void,
): Promise<Evaluated | undefined> {
  const parameters = step === state.step ? state.parameters : bestValues(open.run, step, whole.adapters);
  if (!parameters) {
    open.warn(`The best adapter, of step ${step}, is gone: the cost of model.quantize was not measured.`);
    return undefined;
  }
  const folder = open.graphs;
  const task = await makeTask(full, adaptModel(full, whole.source), whole.data, folder);
  const { metrics } = await measureTask(
    taskInForm(task, plan.trainedForm(step)),
    parameters,
    join(folder, 'float32'),
    { seen: watch, watch },
  );
  return metrics;
}
