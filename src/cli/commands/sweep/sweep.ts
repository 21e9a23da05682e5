import { join, resolve } from 'node:path';
import { ignoredIn, loadSweep, readText } from '../../../runs/experiment/load';
import type { Sweep } from '../../../runs/experiment/sweep';
import { createFolder, experimentRuns, experimentSweeps } from '../../../runs/layout';
import { TrialLooker } from '../../../runs/sweep/looker';
import { TrialNames } from '../../../runs/sweep/trial-names';
import {
  runOf,
  readSweep,
  writeSweep,
  type SweepRecord,
  type SweepRoom,
  type TrialRecord,
} from '../../../runs/sweep/record';
import type { Executor } from '../../../executors/executor';
import type { ExecutorName } from '../../../experiment/cluster';
import { gpusFor } from '../../../executors/local/devices';
import { AuroraError, EXIT } from '../../../base/errors';
import { LEASE_MS } from '../../../training/process/pulse';
import { isSilent } from '../../../sweeps/claim-trial';
import { refuseChangedInputs } from '../../../sweeps/inputs';
import { prepareSweep } from '../../../sweeps/prepare';
import { runQueue, type SweepOutcome } from '../../../sweeps/queue';
import { roomNow, type Measured } from '../../../sweeps/room';
import { one, threadCount, wholeNumber, type Command, type ParsedArgs } from '../../command';
import { deviceRequest, FALLBACK_OPTION, PLACE_HELP, PLACE_OPTIONS, PLACE_VALUES } from '../../place';
import { owning, TAKE_OVER_HELP, TAKE_OVER_OPTION, type Owned, type TakenOver } from '../../owning';
import { isQuiet } from '../../quiet';
import { isScreen } from '../../terminal';
import { onInterrupt } from '../../signals';
import { askQueue, cancelNow } from './cancel';
import { sweepsToCancel } from './cancel-target';
import { bringCheckpoints } from './checkpoints';
import { executorOf, type ExecutorOptions } from './executor';
import { namedTrials } from './named-trials';
import { placeName } from './place-name';
import { showSubmission } from './submission';
import { moveSweep } from './move';
import { beganAt, clusterRoom, leftBy, whereOf, type Where } from './where';
import { planText } from './plan';
import { checkSweep, type CheckOptions } from './check';
import { SweepLines, SweepScreen, type SweepView } from './progress';
import { sweepReport } from './report';
import { SweepJson } from './json';

export const sweepCommand: Command = {
  help: `Usage: aurora sweep FILE.aurora.json [options]

Trains the trials of the file's "sweep" section, as many in parallel as cores and memory allow. Each trial is a run in
.aurora/runs beside the file. Checks adapters, data and memory of all trials before the first one starts. Ctrl-C lets
the running trials finish their step, save and stop. The same command continues the sweep, even after a shutdown:
finished trials are not trained again, and stopped or killed ones resume from their last checkpoint. Values that you
add to the section later add trials to the existing ones.

  --on PLACE         local, slurm or kubernetes: where trials are trained (default: where the sweep began, else local).
                     A cluster is described in the experiment's "cluster" section. Its jobs do not need this command:
                     Ctrl-C stops following them, and the same command follows them again, on any machine
  --cluster FILE     settings of a cluster in a JSON file, for what the experiment's section leaves out
  --no-wait          submit what is ready to the cluster, and exit
  --cancel all|N,N   cancel all trials or those with these numbers, or with these runs ('#12'): queued ones leave the
                     queue, running ones save
  --checkpoints all|N,N
                     bring the checkpoints of all trials or those with these numbers, or with these runs ('#12'), from
                     a cluster that shares no folder with this machine, where they stay until then
  --write DIR        write what Kubernetes needs (manifests, Dockerfile, trainer) into DIR, and submit nothing
  --parallel N       trials to run in parallel (default: measured, in a few steps of the largest trial)
  --dry-run          show what would be trained and submitted, and train nothing
  --retry-failed     retry failed trials
  --accept-changed-inputs
                     start and resume trials even if the model, tokenizer or data have changed since the sweep or
                     the trial began; recorded in sweep.json and the trial's journal
  --set KEY=VALUE    override a setting of all trials, such as --set training.epochs=1 (may be given several times)
  --lease            stop when the file control/lease in the sweep's folder has not been touched for a minute
  --json             JSON lines: plan, trial, warning, end
${TAKE_OVER_HELP}${PLACE_HELP}  --threads N        threads per trial on the CPU (default: cores divided by parallel trials)

Exits with 0 if every trial has finished or was pruned, with 1 if any failed, with 24 if a process on another machine
owns the sweep or one of its trials, with 25 if files have changed since earlier trials were trained on them, and with
130 if it was stopped.
`,
  options: {
    on: { type: 'string' },
    cluster: { type: 'string' },
    'no-wait': { type: 'boolean' },
    cancel: { type: 'string' },
    checkpoints: { type: 'string' },
    write: { type: 'string' },
    parallel: { type: 'string' },
    'dry-run': { type: 'boolean' },
    'retry-failed': { type: 'boolean' },
    'accept-changed-inputs': { type: 'boolean' },
    set: { type: 'string', multiple: true },
    lease: { type: 'boolean' },
    ...TAKE_OVER_OPTION,
    json: { type: 'boolean' },
    ...PLACE_OPTIONS,
    ...FALLBACK_OPTION,
    threads: { type: 'string' },
  },
  values: { ...PLACE_VALUES, on: ['local', 'slurm', 'kubernetes'] },
  async run(args) {
    const file = resolve(one(args, 'experiment file', 'sweep'));
    const sweep = loadSweep(file, args.list('set'));
    // Reports an unknown device once, instead of for each trial.
    deviceRequest(args);
    const folder = join(experimentSweeps(file), sweep.baseHash);
    const cancel = args.text('cancel');
    if (cancel !== undefined) return cancelSweeps(args, file, sweep, folder, cancel);
    const checkpoints = args.text('checkpoints');
    if (checkpoints !== undefined) return checkpointsOf(args, file, sweep, folder, checkpoints);
    const record = prepareSweep(folder, sweep, args.list('set'));
    const request = { file, folder, sweep, record };
    const where = whereOf(args, request);
    const left = leftBy(args, request, where);
    setPlace(record, where);
    const context = contextOf(args, file, sweep, folder, record, where);
    const { view } = context;
    if (args.flag('dry-run') || args.text('write') !== undefined) {
      const measured = await checkSweep(record, checkOptions(context));
      const planned = { ...record, room: await roomOf(context, record, measured) };
      view.begin(planned);
      view.plan(planText(planned, lookAtAll(record, context)));
      if (where.on !== 'local') await showSubmission(args, where.cluster, planned, folder);
      return EXIT.ok;
    }
    for (const { message } of ignoredIn(file, readText(file), args.list('set')))
      process.stderr.write(`Warning: ${message}\n`);
    createFolder(folder);
    return owning(ownedBy(context, (left ?? where).on), async (takenOver) => {
      if (left) await move(context, left, takenOver);
      return run(context, takenOver);
    });
  },
};

/** Trials on a cluster may be in the middle of a long step, and its scheduler ends jobs that hang. */
const CLUSTER_STOP_MS = 3_600_000;

/** The subject of this command. */
interface Context {
  args: ParsedArgs;
  folder: string;
  runs: string;
  sweep: Sweep;
  where: Where;
  view: SweepView;
  names: TrialNames;
  /** The looker keeps the contents of the trials' folders that it has read. */
  looker: TrialLooker;
}

const contextOf = (
  args: ParsedArgs,
  file: string,
  sweep: Sweep,
  folder: string,
  record: SweepRecord,
  where: Where,
): Context => {
  const runs = experimentRuns(file);
  const names = new TrialNames(runs);
  return {
    ...{ args, folder, runs, sweep, where, names },
    ...{ view: viewOf(args, record, names), looker: new TrialLooker() },
  };
};

/**
 * The claim by which this command becomes the only one that writes to the sweep's folder, whose trials were trained
 * there so far.
 */
const ownedBy = ({ args, folder }: Context, on: ExecutorName): Owned => ({
  ...{ folder, what: 'sweep', takeOver: args.flag('take-over') },
  // It only follows: its submissions are on disk, and the scheduler decides who trains.
  ...(on !== 'local' && { hasEnded: () => isSilent(folder) }),
});

function setPlace(record: SweepRecord, { on }: Where): void {
  if (on === 'local') delete record.on;
  else record.on = on;
}

const viewOf = (args: ParsedArgs, record: SweepRecord, names: TrialNames): SweepView =>
  args.flag('json')
    ? new SweepJson(record, names)
    : isScreen(process.stderr)
      ? new SweepScreen(record, names)
      : new SweepLines(record, names);

const lookAtAll = ({ trials }: SweepRecord, { runs, looker }: Context) =>
  trials.map((t) => looker.look(t, runOf(t, runs)));

async function run(context: Context, takenOver: TakenOver): Promise<number> {
  const { args, folder, runs, sweep, where, view, names } = context;
  const interrupted = onInterrupt(
    where.on === 'local'
      ? 'Stopping: the running trials finish their step and save. Press Ctrl-C again to quit without waiting for them.'
      : `This command no longer follows the trials; they stay on ${placeName(where.on)}.`,
  );
  // Read again, now that no other process can change it.
  let record = prepareSweep(folder, sweep, args.list('set'));
  setPlace(record, where);
  const once = args.flag('no-wait');
  const outcome = await runQueue({
    folder,
    async prepare(stopped) {
      // Written first, so that the sweep is visible and can be stopped during the check.
      writeSweep(folder, record);
      if (!args.flag('accept-changed-inputs')) await refuseChangedInputs(record, specsOf(sweep), runs);
      const measured = await checkSweep(record, { ...checkOptions(context), stopped });
      if (stopped()) return undefined;
      for (const trial of record.trials) delete trial.unchecked;
      const whole = { ...record, room: await roomOf(context, record, measured) };
      record = whole;
      view.begin(whole);
      if (args.flag('json') || !isQuiet()) view.plan(planText(whole, lookAtAll(whole, context)));
      return whole;
    },
    specs: specsOf(sweep),
    executor: (record, save) => executorOf(where, record, executorOptions(context, takenOver, save)),
    names,
    pulseWorker: join(__dirname, 'pulse-worker.cjs'),
    ...(args.flag('lease') && { lease: LEASE_MS }),
    retryFailed: args.flag('retry-failed'),
    acceptInputs: args.flag('accept-changed-inputs'),
    once,
    ...(where.on !== 'local' && { stopTimeout: CLUSTER_STOP_MS }),
    interrupted,
    refused: ({ message }) => view.warn(`${message} The running trials finish first.`),
    looked: (trials, verdicts) => view.looked(trials, verdicts),
  });
  view.end(outcome, sweepReport(record, outcome, names));
  return once && outcome.stopped === 'detached' ? EXIT.ok : exitCode(outcome);
}

/** Takes over the trials that were trained elsewhere. */
async function move(context: Context, left: Where, takenOver: TakenOver): Promise<void> {
  const { folder, where, names } = context;
  const record = readSweep(folder);
  if (!record?.room) return;
  await moveSweep(
    lookingAt(left, context, { ...record, room: record.room }, takenOver, true),
    record.trials,
    left.on,
    where.on,
    names,
  );
  setPlace(record, where);
  writeSweep(folder, record);
}

/** Cancels trials of the experiment's sweep, or of those that an earlier version of the file has begun. */
async function cancelSweeps(
  args: ParsedArgs,
  file: string,
  sweep: Sweep,
  folder: string,
  cancel: string,
): Promise<number> {
  let code: number = EXIT.ok;
  for (const one of await sweepsToCancel(file, folder, cancel)) {
    const record = readSweep(one);
    if (!record || record.trials.every((t) => t.run === undefined))
      throw new AuroraError('usage', `No trial of ${file} has begun.`, 'There is nothing to cancel.');
    const which = namedTrials('cancel', cancel, record.trials, new TrialNames(experimentRuns(file)));
    if (await askQueue(one, which)) {
      process.stderr.write('The process that runs the sweep cancels them.\n');
      continue;
    }
    const where = beganAt(args, { file, folder: one, sweep, record });
    const context = contextOf(args, file, sweep, one, record, where);
    const ended = await owning(ownedBy(context, where.on), (takenOver) =>
      cancelHere(context, takenOver, which),
    );
    if (ended !== EXIT.ok) code = ended;
  }
  return code;
}

async function checkpointsOf(
  args: ParsedArgs,
  file: string,
  sweep: Sweep,
  folder: string,
  given: string,
): Promise<number> {
  const record = readSweep(folder);
  if (!record || record.trials.every((t) => t.run === undefined))
    throw new AuroraError('usage', `No trial of ${file} has begun.`, 'There are no checkpoints to bring.');
  const where = beganAt(args, { file, folder, sweep, record });
  const count = await bringCheckpoints({
    ...{ folder, runs: experimentRuns(file), trials: record.trials, where, given },
  });
  process.stderr.write(
    `The checkpoints of ${count === 1 ? '1 trial' : `${count} trials`} are in the run folders.\n`,
  );
  return EXIT.ok;
}

async function cancelHere(
  context: Context,
  takenOver: TakenOver,
  which: readonly TrialRecord[] | 'all',
): Promise<number> {
  const { folder, where } = context;
  const record = readSweep(folder);
  if (!record?.room) return EXIT.ok;
  const executor = lookingAt(where, context, { ...record, room: record.room }, takenOver);
  return cancelNow(executor, record.trials, which, onInterrupt('They are canceled without this command.'));
}

/** The executor of the trials, for a command that starts none. */
const lookingAt = (
  where: Where,
  context: Context,
  record: SweepRecord & { room: SweepRoom },
  takenOver: TakenOver,
  once = false,
): Executor =>
  executorOf(where, record, {
    ...executorOptions(context, takenOver, () => writeSweep(context.folder, record)),
    ...{ once, submitsNothing: true },
  });

const executorOptions = (
  { args, folder, runs, sweep, view, looker }: Context,
  takenOver: TakenOver,
  save: () => void,
): ExecutorOptions => ({
  ...{ folder, runs, takenOver, save, looker, specs: specsOf(sweep) },
  fallBack: args.flag('fallback'),
  acceptInputs: args.flag('accept-changed-inputs'),
  once: args.flag('no-wait'),
  warn: (message) => view.warn(message),
  sending: (now) => view.sending(now),
});

function exitCode({ stopped, trials }: SweepOutcome): number {
  if (stopped === 'owned') return EXIT.owned;
  if (stopped) return EXIT.stopped;
  return trials.some((t) => t.record.planned && t.state === 'failed') ? EXIT.failed : EXIT.ok;
}

/** The number of parallel trials, their device and their threads; measured unless given. */
async function roomOf({ args, where }: Context, record: SweepRecord, measured: Measured): Promise<SweepRoom> {
  if (where.on !== 'local') return clusterRoom(args, where.cluster, record);
  const { room, spec, trials } = record;
  const given = args.text('parallel');
  const asked = given === undefined ? spec.parallel : Math.max(1, wholeNumber('parallel', given));
  const [engine, device] = [args.text('engine'), args.text('device')];
  const known = room && stays(room, engine, device) ? room : undefined;
  const place = placeOf(args);
  const limits = {
    asked,
    threads: threadCount(args.text('threads')) || (known?.threads ?? 0),
    trials: trials.filter((t) => t.planned).length,
  };
  const isKnown = known && (asked !== undefined || known.memory !== undefined);
  const isGiven = asked !== undefined && !place.device.startsWith('auto');
  const all = isKnown ? known : isGiven ? place : { ...place, ...known, ...measured };
  return roomNow(all, { ...limits, gpus: (await gpusFor(all.device)).length });
}

const placeOf = (args: ParsedArgs) => ({
  engine: args.text('engine') ?? 'onnxruntime',
  device: args.text('device') ?? 'auto',
});

function checkOptions({ args, sweep, where }: Context): CheckOptions {
  const { engine, device } = placeOf(args);
  return {
    specs: specsOf(sweep),
    program: join(__dirname, 'cli.cjs'),
    place: ['--engine', engine, '--device', device, ...(args.flag('fallback') ? ['--fallback'] : [])],
    here: where.on === 'local',
    stopped: () => false,
  };
}

const specsOf = (sweep: Sweep) => new Map(sweep.trials.map((t) => [t.id, t.spec]));

/** True if trials stay on the device that they started on: the options name no other. */
const stays = (room: SweepRoom, engine?: string, device?: string): boolean =>
  (engine ?? room.engine) === room.engine &&
  (device === undefined || device.startsWith('auto') || device === room.device);
