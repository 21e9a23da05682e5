import { openTask } from '../../engine/open';
import { requireOwned } from '../../files/fence';
import { taskOptions } from '../device/options';
import { beginStaticForm, taskInForm } from '../loop/adapter-form';
import { trainingLoop, type LoopEnd } from '../loop/loop';
import { MicroBatches } from '../micro-batch/micro-batches';
import { concludeFailed } from './conclude';
import type { Phase, RunContext } from './context';
import { makeHooks } from './hooks';
import type { Start } from './start';

/** Trains to the end of the run or to a stop request, starting with the dynamic form if the run has one. */
export async function trainPhases(context: RunContext, start: Start): Promise<LoopEnd> {
  const { open, state, plan } = context;
  open.training = context;
  if (hasStoppedEarly(context, start)) return 'early-stopping';
  const end = await trainPhase(context, context.phase);
  if (end !== 'finished' || state.step >= plan.totalSteps) return end;
  return trainPhase(context, await openStaticForm(context));
}

/**
 * True if the run was killed after early stopping had ended its training, and before its result. A fork from that very
 * step continues: the user asked for more training.
 */
function hasStoppedEarly({ state, plan }: RunContext, { before = [] }: Start): boolean {
  const isFork = before.some((e) => e.kind === 'forked' && e.fromStep === state.step);
  return state.step < plan.totalSteps && plan.evaluates(state.step) && !isFork && state.stopping.isOver;
}

async function trainPhase(context: RunContext, phase: Phase): Promise<LoopEnd> {
  const { open, plan, state } = context;
  const { task, stepper, micro } = phase;
  if (state.step === plan.staticFrom && state.step < plan.totalSteps) {
    beginStaticForm(state);
    open.listener.staticForm(state.step);
  }
  context.phase = phase;
  const hooks = await makeHooks(context);
  return trainingLoop(task, stepper, micro, plan, state, hooks).catch((e) => concludeFailed(e, context));
}

/** Replaces the dynamic form: the device may not be able to hold both. */
async function openStaticForm({ open, guard, state, device, phase, ...of }: RunContext): Promise<Phase> {
  const { place } = device;
  open.stepper = undefined;
  requireOwned(open.run);
  await phase.stepper.dispose();
  const task = taskInForm(of.task, 'static');
  const options = taskOptions(task, place, open.options.threads);
  guard.opened(state.step);
  const { stepper } = await openTask(task.model, task.infos, task.graph, open.graphs, options);
  open.stepper = stepper;
  guard.opened(state.step);
  return { task, stepper, micro: new MicroBatches(task, stepper, place, open.warn, phase.micro.known()) };
}
