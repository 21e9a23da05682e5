import { outputsOf } from '../../protocol/outputs';
import { ScalarsWriter } from '../../runs/curve/scalars';
import { runPaths } from '../../runs/layout';
import { cutResources } from '../../runs/resources/resources';
import { alarmWatchOf } from '../alarms/alarm-watch';
import { settleAdapters } from '../checkpoint/adapter-files';
import type { Restored } from '../checkpoint/resume';
import { initialState, restoredState } from '../checkpoint/state';
import { deviceFields } from '../device/choose';
import type { OpenedOn } from '../device/open-on-device';
import { taskInForm } from '../loop/adapter-form';
import { checkPacking, tryLongest } from '../loop/check-packing';
import { lookAhead } from '../micro-batch/look-ahead';
import { MicroBatches } from '../micro-batch/micro-batches';
import { packedRows } from '../task/task';
import { environment, environmentWarnings, gitState } from '../process/environment';
import { trainedCounts } from './conclude';
import type { RunContext, OpenRun } from './open-run';
import type { Prepared, Start } from './prepare-run';

/** Assembles the parts that a run trains with, and checks that the longest texts fit the model and the device. */
export async function makeContext(
  open: OpenRun,
  { from, before, restored }: Start,
  { guard, plan, task, drawer, seconds }: Prepared,
  { stepper, trainable, choice: device }: OpenedOn,
): Promise<RunContext> {
  const checkpoint = restored?.checkpoint;
  guard.opened(from);
  open.pulse.preparing({ doing: 'trying' });
  const env = environment(open.options.threads, device.place, stepper.atLabels);
  const fresh = initialState(task, trainable, plan.totalSteps);
  const state = checkpoint ? restoredState(fresh, checkpoint) : fresh;
  const micro = new MicroBatches(task, stepper, device.place, open.warn, checkpoint?.state.memory);
  await tryLongest(stepper, task, micro, state.parameters);
  await lookAhead(task, stepper, micro, state.parameters);
  await checkPacking(task, stepper, micro);
  guard.hash();
  const scalars = ScalarsWriter.open(open.run, state.step, checkpoint?.state.curve);
  open.held.watch(runPaths(open.run).scalars);
  cutResources(open.run, state.step);
  if (scalars.damage) open.warn(scalars.damage);
  const alarms = alarmWatchOf(task, plan, open.run, before ?? [], state.step);
  const totals = { seconds: (restored?.seconds ?? 0) + seconds, examples: restored?.examples ?? 0 };
  const phase = { task, stepper, micro };
  return {
    open,
    task,
    trainable,
    device,
    env,
    guard,
    plan,
    state,
    scalars,
    alarms,
    drawer,
    totals,
    scored: [],
    phase,
  };
}

/** Records the known facts about a run before its first step. */
export function announce(context: RunContext, { before, restored }: Start, { whole, reuse }: Prepared): void {
  const { open, task, device, env, guard, plan, state } = context;
  const { run, journal, warn, pulse, listener } = open;
  const changes = restored?.environment ? environmentWarnings(restored.environment, env) : [];
  changes.forEach(warn);
  if (restored)
    settleAdapters({
      ...{ run, state, hasCheckpoint: restored.checkpoint !== undefined, events: before!, warn },
      taskAt: (step) => taskInForm(task, plan.trainedForm(step)),
    });
  if (restored) appendResumed(context, restored, changes);
  if (!restored?.started) appendStarted(context);
  guard.announce(journal, warn, whole.data);
  if (open.options.frozen !== undefined && reuse.upTo !== undefined)
    journal.append({ kind: 'reused', upTo: reuse.upTo, found: reuse.found! });
  journal.append({ kind: 'device', step: state.step, ...deviceFields(device) });
  listener.device(device);
  pulse.preparing(undefined);
  pulse.progress(state.step, plan.totalSteps);
  listener.prepared(task, plan, state.step);
}

function appendResumed({ open }: RunContext, restored: Restored, warnings: string[]): void {
  open.journal.append({
    kind: 'resumed',
    fromStep: restored.checkpoint?.state.step ?? 0,
    pid: process.pid,
    warnings,
  });
}

function appendStarted({ open, task, trainable, plan }: RunContext): void {
  const { data, adapters } = task;
  const { adapters: ofAdapters, head } = trainedCounts(trainable);
  const git = gitState(open.run);
  open.journal.append({
    kind: 'started',
    pid: process.pid,
    steps: plan.totalSteps,
    epochs: plan.epochs,
    trainExamples: data.train.dataset.examples.length,
    ...packedRows(task),
    validationExamples: data.validation.dataset.examples.length,
    ...outputsOf(data),
    modules: adapters.filter((a) => !a.beside).map((a) => a.layer.path),
    trainable: ofAdapters,
    trainableHead: head,
    git,
  });
}
