import { join, resolve } from 'node:path';
import { loadSweep } from '../../../runs/experiment/load';
import type { Sweep } from '../../../runs/experiment/sweep';
import { createFolder, experimentRuns, experimentSweeps } from '../../../runs/layout';
import { lookAtTrial } from '../../../runs/sweep/look';
import { writeSweep, type SweepRecord, type SweepRoom } from '../../../runs/sweep/record';
import { EXIT } from '../../../base/errors';
import { LEASE_MS } from '../../../trainer/process/pulse';
import { refuseChangedInputs } from '../../../trainer/sweep/inputs';
import { prepareSweep } from '../../../trainer/sweep/prepare';
import { runQueue, type SweepOutcome } from '../../../trainer/sweep/queue';
import { roomNow, type Measured } from '../../../trainer/sweep/room';
import { one, threadCount, wholeNumber, type Command, type ParsedArgs } from '../../command';
import { deviceRequest, FALLBACK_OPTION, PLACE_HELP, PLACE_OPTIONS, PLACE_VALUES } from '../../place';
import { owning, TAKE_OVER_HELP, TAKE_OVER_OPTION, type TakenOver } from '../../owning';
import { isQuiet } from '../../quiet';
import { isScreen } from '../../screen';
import { onInterrupt } from '../../signals';
import { localExecutor } from './executor';
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

  --parallel N       trials to run in parallel (default: measured, in a few steps of the largest trial)
  --dry-run          show what would be trained, and train nothing
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
  values: PLACE_VALUES,
  async run(args) {
    const file = resolve(one(args, 'experiment file', 'sweep'));
    const sweep = loadSweep(file, args.list('set'));
    // Reports an unknown device once, instead of for each trial.
    deviceRequest(args);
    const folder = join(experimentSweeps(file), sweep.baseHash);
    const runs = experimentRuns(file);
    const record = prepareSweep(folder, sweep, args.list('set'));
    const view = viewOf(args, record);
    if (args.flag('dry-run')) {
      const measured = await checkSweep(record, checkOptions(args, sweep));
      const planned = { ...record, room: roomOf(args, record, measured) };
      view.begin(planned);
      view.plan(planText(planned, lookAtAll(record, runs)));
      return EXIT.ok;
    }
    createFolder(folder);
    return owning({ folder, what: 'sweep', takeOver: args.flag('take-over') }, (takenOver) =>
      run(args, { folder, runs, sweep, takenOver }, view),
    );
  },
};

const viewOf = (args: ParsedArgs, record: SweepRecord): SweepView =>
  args.flag('json')
    ? new SweepJson(record)
    : isScreen(process.stderr)
      ? new SweepScreen(record)
      : new SweepLines(record);

const lookAtAll = ({ trials }: SweepRecord, runs: string) =>
  trials.map((t) => lookAtTrial(t, t.run === undefined ? undefined : join(runs, t.run)));

async function run(
  args: ParsedArgs,
  { folder, runs, sweep, takenOver }: { folder: string; runs: string; sweep: Sweep; takenOver: TakenOver },
  view: SweepView,
): Promise<number> {
  const interrupted = onInterrupt(
    'Stopping: the running trials finish their step and save. Press Ctrl-C again to quit without waiting for them.',
  );
  // Read again, now that no other process can change it.
  let record = prepareSweep(folder, sweep, args.list('set'));
  const outcome = await runQueue({
    folder,
    async prepare(stopped) {
      // Written first, so that the sweep is visible and can be stopped during the check.
      writeSweep(folder, record);
      if (!args.flag('accept-changed-inputs')) await refuseChangedInputs(record, specsOf(sweep), runs);
      const measured = await checkSweep(record, { ...checkOptions(args, sweep), stopped });
      if (stopped()) return undefined;
      for (const trial of record.trials) delete trial.unchecked;
      const whole = { ...record, room: roomOf(args, record, measured) };
      record = whole;
      view.begin(whole);
      if (args.flag('json') || !isQuiet()) view.plan(planText(whole, lookAtAll(whole, runs)));
      return whole;
    },
    specs: specsOf(sweep),
    executor: (record, save) =>
      localExecutor(record, { ...{ folder, runs, takenOver, save }, ...trialOptions(args) }),
    pulseWorker: join(__dirname, 'pulse-worker.cjs'),
    ...(args.flag('lease') && { lease: LEASE_MS }),
    retryFailed: args.flag('retry-failed'),
    acceptInputs: args.flag('accept-changed-inputs'),
    interrupted,
    refused: ({ message }) => view.warn(`${message} The running trials finish first.`),
    looked: (trials, verdicts) => view.looked(trials, verdicts),
  });
  view.end(outcome, sweepReport(record, outcome));
  return exitCode(outcome);
}

function exitCode({ stopped, trials }: SweepOutcome): number {
  if (stopped === 'owned') return EXIT.owned;
  if (stopped) return EXIT.stopped;
  return trials.some((t) => t.record.planned && t.state === 'failed') ? EXIT.failed : EXIT.ok;
}

/** How many trials run in parallel, on which device, with how many threads; measured unless given. */
function roomOf(args: ParsedArgs, { room, spec, trials }: SweepRecord, measured: Measured): SweepRoom {
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
  if (isKnown) return roomNow(known, limits);
  if (asked !== undefined && !place.device.startsWith('auto')) return roomNow(place, limits);
  return roomNow({ ...place, ...known, ...measured }, limits);
}

const trialOptions = (args: ParsedArgs) => ({
  fallBack: args.flag('fallback'),
  acceptInputs: args.flag('accept-changed-inputs'),
});

const placeOf = (args: ParsedArgs) => ({
  engine: args.text('engine') ?? 'onnxruntime',
  device: args.text('device') ?? 'auto',
});

function checkOptions(args: ParsedArgs, sweep: Sweep): CheckOptions {
  const { engine, device } = placeOf(args);
  return {
    specs: specsOf(sweep),
    program: join(__dirname, 'cli.cjs'),
    place: ['--engine', engine, '--device', device, ...(args.flag('fallback') ? ['--fallback'] : [])],
    stopped: () => false,
  };
}

const specsOf = (sweep: Sweep) => new Map(sweep.trials.map((t) => [t.id, t.spec]));

/** Whether trials stay on the device that they started on: the options name no other. */
const stays = (room: SweepRoom, engine?: string, device?: string): boolean =>
  (engine ?? room.engine) === room.engine &&
  (device === undefined || device.startsWith('auto') || device === room.device);
