import { join } from 'node:path';
import type { DeviceRequest } from '../../engine/devices/request';
import { openTask } from '../../engine/open';
import { CPU } from '../../engine/place';
import type { Stepper } from '../../engine/stepper';
import type { TrainableInfo } from '../../tasks/program';
import { discard } from '../../files/atomic';
import { requireOwned, stillOwned } from '../../files/fence';
import { goneBelow, HeldFolder } from '../../runs/held';
import { Journal } from '../../runs/journal/journal';
import { runPaths } from '../../runs/layout';
import { readRunSummary } from '../../runs/read';
import { ScalarsWriter } from '../../runs/curve/scalars';
import type { InputChange } from '../../protocol/events';
import type { Experiment } from '../../experiment/experiment';
import { settleAdapters } from '../checkpoint/adapter-files';
import { conclude, concludeFailed, trainedCounts, type Ending, type TrainOutcome } from './conclude';
import { deviceFields } from '../device/choose';
import { requestedEvent, resumedChoice, resumedRequest } from '../device/recorded';
import { taskOptions } from '../device/options';
import { settle } from '../device/settle';
import { environment, environmentWarnings } from '../process/environment';
import { checkpointOf, makeHooks, type TrainListener } from './hooks';
import { removeLeftovers } from '../process/leftovers';
import { InputGuard } from '../inputs/guard';
import { tryLongest } from '../loop/longest-texts';
import { trainingLoop, type LoopEnd } from '../loop/loop';
import { withFrozenPrefix } from '../frozen/reuse';
import { attempt, failedEvent } from '../process/failure';
import { lookAhead } from '../micro-batch/look-ahead';
import { MicroBatches } from '../micro-batch/micro-batches';
import { beginStaticForm, nextForm, taskInForm } from '../loop/adapter-form';
import type { PausePoint } from '../loop/pause';
import { makePlan, type Plan } from '../loop/plan';
import { dataWarnings } from '../preflight/warnings';
import { LEASE_MS, Pulse } from '../process/pulse';
import { rescue, type Unsaved } from './rescue';
import { restore, type Restored } from '../checkpoint/resume';
import { initialState, restoredState } from '../checkpoint/state';
import { prepareTask, type Task } from '../task/task';

export interface TrainOptions {
  spec: Experiment;
  /** The run folder, which exists and holds spec.json. */
  run: string;
  resume: boolean;
  /** A resumed run stays where it was, unless this names another place. */
  device: DeviceRequest;
  /** Intra-op threads; 0 for one a core. */
  threads: number;
  /** Stop when nobody renews the lease, control/lease, for a minute. */
  lease: boolean;
  /** Where trials of its sweep keep for each other what they all compute. */
  frozen?: string;
  /** Save and stop at the first evaluation from there on: a comparison of its sweep. */
  pauseAt: PausePoint | undefined;
  /** The built pulse worker. */
  pulseWorker: string;
  /** The built hash-worker. */
  hashWorker: string;
  /** Files that changed since a resumed run was trained on them, where that is meant. */
  acceptedInputs?: readonly InputChange[];
  /** The built program, which measures each device in a process of its own. */
  program: string;
  listener: TrainListener;
  /** Set by a signal handler: finish the step, save, stop. */
  interrupted: () => boolean;
}

/** Trains an experiment to its end, or to a request to stop, and leaves a whole run folder either way. */
export async function train(options: TrainOptions): Promise<TrainOutcome> {
  const { run } = options;
  const held = HeldFolder.open(run);
  const journal = Journal.open(runPaths(run).events);
  held.watch(runPaths(run).events);
  const trying: Trying = { held, at: 0, unsaved: undefined };
  const pulse = Pulse.start(run, options.pulseWorker, {
    ...(options.lease && { lease: LEASE_MS }),
    warn: (message) =>
      void attempt(() => {
        journal.append({ kind: 'warning', message });
        options.listener.warning(message);
      }),
  });
  try {
    const outcome = (trying.outcome = await trainOnce(options, journal, pulse, trying));
    await pulse.end(lastState(outcome));
    return outcome;
  } catch (e) {
    const { outcome } = trying;
    if (outcome) {
      // The journal has its last line: what failed since does not change how the run ended.
      await attempt(() => pulse.end(lastState(outcome)));
      throw e;
    }
    const lost = held.lost() ?? goneBelow(run, e);
    if (lost !== undefined)
      throw await rescue(
        { spec: options.spec, held, journal, pulse, step: trying.at, unsaved: trying.unsaved },
        lost,
      );
    await attempt(() => journal.append(failedEvent(trying.at, e)));
    await attempt(() => pulse.end('failed'));
    throw e;
  } finally {
    // What failed before there was a stepper to dispose of has left its graphs, which may be large.
    for (const name of stillOwned(run) ? ['graph', 'frozen'] : []) discard(join(run, name));
    journal.close();
    held.close();
  }
}

const lastState = ({ end }: TrainOutcome) => (end === 'finished' ? 'finished' : 'stopped');

/** What is known of a training when it fails. */
interface Trying {
  held: HeldFolder;
  /** The last step that was trained. */
  at: number;
  /** Once there is a state. */
  unsaved: Unsaved | undefined;
  /** Once the journal has the run's last line. */
  outcome?: TrainOutcome;
}

async function trainOnce(
  options: TrainOptions,
  journal: Journal,
  pulse: Pulse,
  trying: Trying,
): Promise<TrainOutcome> {
  const { spec, run, listener } = options;
  const warn = (message: string) => {
    journal.append({ kind: 'warning', message });
    listener.warning(message);
  };
  const before = options.resume ? readRunSummary(run).events : undefined;
  const { given, fallBack } = options.device;
  const request = before ? resumedRequest(before, options.device) : options.device;
  if (!before || given.engine || given.device || fallBack) journal.append(requestedEvent(request));
  const restored = options.resume ? restore(run, spec, warn) : undefined;
  const from = restored?.checkpoint?.state.step ?? 0;
  trying.at = from;
  trying.held.require();
  removeLeftovers(run);
  const folder = join(run, 'graph');
  const { hashWorker: worker, acceptedInputs: accepted } = options;
  const guard = await InputGuard.begin({ run, spec, from, accepted, worker }, folder);
  const prepared = await prepareTask(spec, folder, restored?.known);
  await guard.modelRead(prepared.original);
  for (const warning of [...prepared.warnings, ...dataWarnings(spec, prepared.data)]) warn(warning);
  const began = performance.now();
  const { threads, program, frozen } = options;
  const keep = frozen ?? join(run, 'frozen');
  const layers = frozen !== undefined && isExact(spec, request);
  const reuse = await withFrozenPrefix(prepared, { folder, keep, threads, warn, layers });
  const whole = reuse.task;
  const featureSeconds = (performance.now() - began) / 1000;
  const plan = makePlan(spec.training, whole.data.train.dataset.examples.length);
  const task = taskInForm(whole, nextForm(plan, from));
  const stopped = () => (options.interrupted() ? 'requested' : pulse.stopRequested());
  const opened = await settle(prepared, task, {
    request,
    before: before && resumedChoice(before, request),
    onFeatures: whole !== prepared && prepared.adapters.length === 0,
    measuring: (places) => listener.measuring(places),
    stopped: () => stopped() !== undefined,
    warn,
    threads,
    folder,
    program,
  });
  if (!opened) {
    const reason = stopped() ?? 'requested';
    journal.append({ kind: 'stopped', step: from, reason });
    return { end: reason, step: from };
  }
  const { trainable, choice } = opened;
  const { place } = choice;
  let held: Stepper | undefined = opened.stepper;
  try {
    guard.opened(from);
    const { stepper } = opened;
    const env = environment(threads, place);
    const fresh = initialState(task, trainable);
    const state = restored?.checkpoint ? restoredState(fresh, restored.checkpoint) : fresh;
    const micro = new MicroBatches(task, stepper, place, warn, restored?.checkpoint?.state.memory);
    await tryLongest(stepper, task, micro, state.parameters);
    await lookAhead(task, stepper, micro, state.parameters);
    guard.hash();
    const scalars = ScalarsWriter.open(run, state.step, restored?.checkpoint?.state.curve);
    trying.held.watch(runPaths(run).scalars);
    if (scalars.damage) warn(scalars.damage);
    const changes = restored?.environment ? environmentWarnings(restored.environment, env) : [];
    changes.forEach(warn);
    if (restored)
      settleAdapters({
        ...{ run, state, hasCheckpoint: restored.checkpoint !== undefined, events: before!, warn },
        taskAt: (step) => taskInForm(whole, plan.trainedForm(step)),
      });
    begin(journal, task, trainable, plan, restored, changes);
    guard.announce(journal, warn, prepared.data);
    if (frozen !== undefined && reuse.upTo !== undefined)
      journal.append({ kind: 'reused', upTo: reuse.upTo, found: reuse.found! });
    journal.append({ kind: 'device', step: state.step, ...deviceFields(choice) });
    listener.device(choice);
    pulse.progress(state.step, plan.totalSteps);
    listener.prepared(task, plan, state.step);
    const totals = { seconds: (restored?.seconds ?? 0) + featureSeconds, examples: restored?.examples ?? 0 };
    const ending: Ending = { run, task, trainable, state, journal, totals, env, device: choice };
    const { interrupted, pauseAt } = options;
    const keeping = {
      pauseAt,
      run,
      listener,
      interrupted,
      plan,
      state,
      journal,
      scalars,
      pulse,
      guard,
      env,
      totals,
      at: (step: number) => (trying.at = step),
      held: trying.held,
    };
    const loop = async (phase: Task, stepper: Stepper, known: MicroBatches): Promise<LoopEnd> => {
      if (state.step === plan.staticFrom && state.step < plan.totalSteps) {
        beginStaticForm(state);
        listener.staticForm(state.step);
      }
      const checkpoint = () => checkpointOf({ ...keeping, micro: known, spec });
      trying.unsaved = { task: phase, scalars, checkpoint };
      const hooks = makeHooks({ ...keeping, task: phase, stepper, micro: known });
      if (state.step === 0) await hooks.snapshot(0);
      return trainingLoop(phase, stepper, known, plan, state, hooks).catch((e) => concludeFailed(e, ending));
    };
    let end = await loop(task, stepper, micro);
    if (end === 'finished' && state.step < plan.totalSteps) {
      // The device may have no room for both.
      held = undefined;
      requireOwned(run);
      await stepper.dispose();
      const phase = taskInForm(whole, 'static');
      const options = taskOptions(spec, place, threads);
      guard.opened(state.step);
      held = (await openTask(phase.model, phase.infos, phase.graph, folder, options)).stepper;
      guard.opened(state.step);
      end = await loop(phase, held, new MicroBatches(phase, held, place, warn, micro.known()));
    }
    trying.held.require();
    await guard.ended(state.step, end);
    const outcome = (trying.outcome = conclude(end, ending));
    scalars.close();
    return outcome;
  } finally {
    // Its files are the next owner's by then.
    await guard.end(() => (stillOwned(run) ? held?.dispose() : undefined));
  }
}

/** Values of the processor are no other device's, and mixed precision has others for the same weights. */
const isExact = ({ training }: Experiment, { engine, device }: DeviceRequest): boolean =>
  engine === CPU.engine && device === CPU.device && training.precision === 'float32';

function begin(
  journal: Journal,
  task: Task,
  trainable: readonly TrainableInfo[],
  plan: Plan,
  restored: Restored | undefined,
  warnings: string[],
): void {
  if (restored) {
    journal.append({
      kind: 'resumed',
      fromStep: restored.checkpoint?.state.step ?? 0,
      pid: process.pid,
      warnings,
    });
    if (restored.started) return;
  }
  const { data, spec, adapters } = task;
  const { adapters: ofAdapters, head } = trainedCounts(trainable);
  journal.append({
    kind: 'started',
    pid: process.pid,
    steps: plan.totalSteps,
    epochs: spec.training.epochs,
    trainExamples: data.train.dataset.examples.length,
    validationExamples: data.validation.dataset.examples.length,
    labels: data.labels,
    modules: adapters.map((a) => a.layer.path),
    trainable: ofAdapters,
    trainableHead: head,
  });
}
