import { join } from 'node:path';
import { openTask } from '../../engine/open-task';
import { placeName } from '../../protocol/device-words';
import { discard } from '../../files/atomic';
import { requireOwned, stillOwned } from '../../files/fence';
import { onLargeCopy } from '../../graph/file/place-weights';
import type { StopReason } from '../../protocol/events';
import { goneBelow } from '../../runs/held';
import { resumedChoice } from '../device/choose';
import { type OpenedOn, settle } from '../device/open-on-device';
import { taskOptions } from '../device/options';
import { beginStaticForm, taskInForm } from '../loop/adapter-form';
import { type LoopEnd, trainingLoop } from '../loop/loop';
import { MicroBatches } from '../micro-batch/micro-batches';
import { attempt, failedEvent } from '../process/run-failure';
import { announce, makeContext } from './begin';
import { conclude, concludeFailed, StoppedReading, type TrainOutcome } from './conclude';
import { makeHooks } from './hooks';
import { OpenRun, type Phase, type RunContext, type TrainOptions } from './open-run';
import { prepare, type Prepared, restoreStart, type Start } from './prepare-run';
import { rescue } from './rescue';
import { measureQuantization, scoreSets } from './score';

/** Trains an experiment to its end or to a stop request, and leaves a complete run folder either way. */
export async function train(options: TrainOptions): Promise<TrainOutcome> {
  const { run } = options;
  const open = OpenRun.open(options);
  const { journal, pulse } = open;
  const untold = onLargeCopy(open.warn);
  try {
    const outcome = (open.outcome = await trainOpen(open));
    await pulse.end(lastState(outcome));
    return outcome;
  } catch (e) {
    const { outcome } = open;
    if (outcome) {
      // The journal has its last line: later failures do not change how the run ended.
      await attempt(() => pulse.end(lastState(outcome)));
      throw e;
    }
    const lost = open.held.lost() ?? goneBelow(run, e);
    if (lost !== undefined) throw await rescue(open, lost);
    await attempt(() => journal.append(failedEvent(open.step, e)));
    await attempt(() => pulse.end('failed'));
    throw e;
  } finally {
    // A failure before there was a stepper to dispose of left its graphs, which may be large.
    for (const folder of stillOwned(run) ? [open.graphs, join(run, 'frozen')] : []) discard(folder);
    untold();
    open.close();
  }
}

const lastState = ({ end }: TrainOutcome) => (end === 'finished' ? 'finished' : 'stopped');

async function trainOpen(open: OpenRun): Promise<TrainOutcome> {
  const start = restoreStart(open);
  const stopped = (reason: StopReason): TrainOutcome => {
    open.journal.append({ kind: 'stopped', step: start.from, reason });
    return { end: reason, step: start.from };
  };
  try {
    const prepared = await prepare(open, start);
    const opened = await openDevice(open, start, prepared);
    if (opened) return await trainOpened(open, start, prepared, opened);
  } catch (e) {
    if (e instanceof StoppedReading) return stopped(e.reason);
    throw e;
  }
  return stopped(open.stopRequested() ?? 'requested');
}

/** Undefined if the run was asked to stop. */
function openDevice(
  open: OpenRun,
  { request, before }: Start,
  { whole, task, reuse }: Prepared,
): Promise<OpenedOn | undefined> {
  const { threads, program } = open.options;
  open.pulse.preparing({ doing: 'opening' });
  return settle(whole, task, {
    request,
    before: before && resumedChoice(before, request),
    onFeatures: reuse.task !== whole && whole.adapters.length === 0,
    measuring(places) {
      open.listener.measuring(places);
      open.pulse.preparing({ doing: 'measuring', places: places.map(placeName).join(', ') });
    },
    stopped: () => open.stopRequested() !== undefined,
    warn: open.warn,
    threads,
    folder: open.graphs,
    program,
  });
}

async function trainOpened(
  open: OpenRun,
  start: Start,
  prepared: Prepared,
  opened: OpenedOn,
): Promise<TrainOutcome> {
  const { guard, whole, sets } = prepared;
  open.stepper = opened.stepper;
  try {
    const context = await makeContext(open, start, prepared, opened);
    announce(context, start, prepared);
    const trained = await trainPhases(context, start);
    const scored = await scoreSets(context, trained, whole, sets);
    open.held.require();
    await guard.ended(context.state.step, scored);
    const end = await measureQuantization(context, scored, whole);
    const outcome = (open.outcome = conclude(end, context));
    context.scalars.close();
    return outcome;
  } finally {
    // By then, its files may belong to the next owner.
    await guard.end(() => (stillOwned(open.run) ? open.stepper?.dispose() : undefined));
  }
}

/** Trains to the end of the run or to a stop request, starting with the dynamic form if the run has one. */
async function trainPhases(context: RunContext, start: Start): Promise<LoopEnd> {
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
  const options = taskOptions(task, place, open.options.threads, open.graphs);
  guard.opened(state.step);
  const { stepper } = await openTask(task.model, task.infos, task.graph, open.graphs, options);
  open.stepper = stepper;
  guard.opened(state.step);
  return { task, stepper, micro: new MicroBatches(task, stepper, place, open.warn, phase.micro.known()) };
}
