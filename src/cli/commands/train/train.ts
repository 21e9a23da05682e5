import { readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { writeAtomic } from '../../../files/atomic';
import { createRun, experimentRuns, requireUnbegun, runPaths } from '../../../runs/layout';
import { readRunSummary } from '../../../runs/run-summary';
import { lossOf } from '../../../runs/ended/unexpected';
import { numberOthers } from '../../../runs/numbers';
import { writeSpec } from '../../../runs/stored-spec';
import { ignoredIn, readExperiment } from '../../../runs/experiment/load';
import { readIfThereSync } from '../../../files/read';
import { AuroraError, EXIT } from '../../../base/errors';
import type { Experiment } from '../../../experiment/experiment';
import { methodOf } from '../../../adapters/methods/registry';
import { type AdapterSpec, HEAD_ALONE } from '../../../experiment/methods';
import { LORA_TYPE } from '../../../peft/adapter-config';
import { completeRun } from '../../../training/run/complete';
import { removeGraphs } from '../../../training/process/leftovers';
import { trialOf } from '../../../runs/sweep/record';
import { recordFailure } from '../../../training/process/run-failure';
import { makeFork } from '../../../training/checkpoint/fork';
import { requireSameInputs } from '../../../training/inputs/require';
import { parsePausePoint } from '../../../training/loop/training-plan';
import { requireResumable } from '../../../training/checkpoint/resume';
import type { TrainOutcome } from '../../../training/run/conclude';
import { measureUntrained } from '../../../training/run/score';
import { toldToBegin, onInterrupt } from '../../signals';
import { one, threadCount, wholeNumber, type Command, type ParsedArgs } from '../../command';
import {
  deviceRequest,
  FALLBACK_OPTION,
  PLACE_HELP,
  PLACE_OPTIONS,
  PLACE_VALUES,
} from '../../device-options';
import { owning, TAKE_OVER_HELP, TAKE_OVER_OPTION, type Owned } from '../../owning';
import { commandLine, FIRST_EXPERIMENT } from '../../suggested-commands';
import { hints } from '../../output';
import { runFolder } from '../../arguments';
import { report, type Reference } from './train-report';
import { trainRun, type TrainingSettings } from '../../training';

export const train: Command = {
  help: `Usage: aurora train FILE.aurora.json [options]
       aurora train --resume RUN
       aurora train --fork RUN --at STEP [--set KEY=VALUE …]

Trains the experiment and writes a run folder in .aurora/runs beside it: journal, curves, checkpoints,
activation snapshots, and the best and last adapter in PEFT's file layout. Ctrl-C finishes the current step,
saves, and stops; --resume continues from there, bit for bit. --fork starts a new run beside RUN from its
checkpoint at STEP, with changed settings such as the learning rate, and keeps the curve up to that step; with
nothing changed, it reproduces RUN bit for bit. Both stay on the run's device unless --device names another.

  --out DIR          put the run folder in DIR instead
  --run RUN          train into this existing run folder, which must not have started
  --resume RUN       resume a run that was stopped or killed
  --fork RUN         start from a checkpoint of this run
  --at STEP          the checkpoint's step, or 0 for the run's beginning
  --set KEY=VALUE    override a setting, such as --set training.epochs=1 (may be given several times)
  --accept-changed-inputs
                     resume or fork even if the model, tokenizer or data have changed since; recorded in the journal
  --baseline         first train the head alone, as a separate run to compare with; for a task without a trained head,
                     first evaluate the untrained model
  --lease            stop when the file control/lease in the run folder has not been touched for a minute
  --json             one JSON line at the end: result (with run, best, last, seconds and more) or stopped
${TAKE_OVER_HELP}${PLACE_HELP}  --threads N        threads on the CPU (default: OMP_NUM_THREADS, or one per core)

Exits with 0 if the run was trained to its end, with 130 if it was stopped (everything is saved), with 17 if training
diverged, with 19 if the device cannot be used, with 21 if not even one example fits into memory, with 24 if a process on
another machine owns the run or another process has taken it over, with 25 if the model, the tokenizer or the data
are not the ones that the run was trained on, and with 27 if the run was trained to its end, but its best evaluation is
worse than the best answer that ignores the input.

An experiment to begin with, such as first.aurora.json. Paths are relative to it:

${FIRST_EXPERIMENT.replace(/^/gm, '  ')}
`,
  options: {
    out: { type: 'string' },
    run: { type: 'string' },
    resume: { type: 'string' },
    fork: { type: 'string' },
    at: { type: 'string' },
    set: { type: 'string', multiple: true },
    baseline: { type: 'boolean' },
    lease: { type: 'boolean' },
    json: { type: 'boolean' },
    ...TAKE_OVER_OPTION,
    'accept-changed-inputs': { type: 'boolean' },
    // For a sweep's queue, so not in the help.
    'when-told': { type: 'boolean' },
    'pause-at': { type: 'string' },
    frozen: { type: 'string' },
    ...PLACE_OPTIONS,
    ...FALLBACK_OPTION,
    threads: { type: 'string' },
  },
  values: PLACE_VALUES,
  async run(args) {
    if (args.flag('when-told') && !(await toldToBegin())) return EXIT.stopped;
    const given = args.text('run');
    if (given === undefined) return runTrain(args);
    const run = requireUnbegun(resolve(given));
    return owning(owned(args, run), async () => {
      try {
        return await runTrain(args, requireUnbegun(run));
      } catch (e) {
        // The process that created the folder watches it and finds the reason there.
        recordFailure(run, e);
        throw e;
      }
    });
  },
};

const owned = (args: ParsedArgs, folder: string): Owned => ({
  folder,
  what: 'run',
  takeOver: args.flag('take-over'),
});

/** @param given a run folder to train into, which this process owns */
async function runTrain(args: ParsedArgs, given?: string): Promise<number> {
  const interrupted = onInterrupt();
  const settings: TrainingSettings = {
    device: deviceRequest(args),
    threads: threadCount(args.text('threads')),
    lease: args.flag('lease'),
    pauseAt: parsePausePoint(args.text('pause-at')),
    frozen: args.text('frozen'),
    interrupted: () => (interrupted() ? 'requested' : undefined),
  };
  checkCombination(args);
  const resumed = named(args, 'resume');
  if (resumed !== undefined)
    return owning(owned(args, resumed), async () => {
      completeRun(resumed);
      return resume(args, resumed, settings);
    });
  const from = named(args, 'fork');
  if (from !== undefined) return fork(args, from, given, settings);
  return fresh(args, given, settings);
}

function named(args: ParsedArgs, option: 'resume' | 'fork'): string | undefined {
  const run = args.text(option);
  return run === undefined ? undefined : runFolder(run);
}

async function resume(args: ParsedArgs, run: string, settings: TrainingSettings): Promise<number> {
  const spec = requireResumable(run);
  await explainLoss(run);
  let acceptedInputs;
  try {
    acceptedInputs = await requireSameInputs(run, args.flag('accept-changed-inputs'));
  } catch (e) {
    // A sweep's queue finds the reason there.
    if (args.flag('when-told')) recordFailure(run, e);
    throw e;
  }
  return conclude(await trainRun(spec, run, true, { ...settings, acceptedInputs }), run, args);
}

/** A trainer that was killed could not report the reason. */
async function explainLoss(run: string): Promise<void> {
  const summary = readRunSummary(run);
  const loss = await lossOf(summary);
  if (loss)
    process.stderr.write(
      `warning: The last trainer of the run ended unexpectedly at step ${summary.status?.step ?? 0}: ${loss.reason}.\n`,
    );
}

function checkCombination(args: ParsedArgs): void {
  const usage = (message: string, hint: string) => new AuroraError('usage', message, hint);
  if (args.text('resume') !== undefined) {
    if (args.positionals.length || args.list('set').length)
      throw usage(
        'A resumed run keeps its experiment: --resume takes no file and no --set.',
        'Start a new run to change a setting, or fork this one with --fork RUN --at STEP.',
      );
    for (const other of ['run', 'fork', 'at', 'out'])
      if (args.text(other) !== undefined)
        throw usage(`--resume and --${other} cannot be combined.`, 'See `aurora train --help`.');
  }
  if (args.text('fork') !== undefined) {
    if (args.positionals.length || args.text('out') !== undefined || args.flag('baseline'))
      throw usage(
        'A fork uses the experiment of its run and is created beside it: --fork takes no file, no --out and no --baseline.',
        'Change settings with --set.',
      );
  } else if (args.text('at') !== undefined) throw usage('--at requires --fork RUN.', 'Name the run to fork.');
  if (args.flag('accept-changed-inputs') && (args.text('resume') ?? args.text('fork')) === undefined)
    throw usage(
      '--accept-changed-inputs requires --resume RUN or --fork RUN.',
      'Omit it: a new run uses the files as they are now.',
    );
  if (args.text('run') !== undefined && (args.flag('baseline') || args.text('out') !== undefined))
    throw usage(
      '--run names the only folder to train into: it cannot be combined with --out or --baseline.',
      'Omit --run or the other option.',
    );
}

async function fork(
  args: ParsedArgs,
  from: string,
  into: string | undefined,
  settings: TrainingSettings,
): Promise<number> {
  const at = args.text('at');
  if (at === undefined)
    throw new AuroraError(
      'usage',
      '--fork needs --at STEP, the step of a checkpoint.',
      `Its checkpoints are in ${runPaths(from).checkpoints}.`,
    );
  const step = wholeNumber('at', at);
  const acceptedInputs = await requireSameInputs(resolve(from), args.flag('accept-changed-inputs'), step);
  const { run, spec, warnings } = makeFork({
    from: resolve(from),
    step,
    overrides: args.list('set'),
    into,
  });
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  const go = async () =>
    conclude(await trainRun(spec, run, true, { ...settings, acceptedInputs }), run, args);
  return into === undefined ? owning(owned(args, run), go) : go();
}

async function fresh(
  args: ParsedArgs,
  given: string | undefined,
  settings: TrainingSettings,
): Promise<number> {
  const file = one(args, 'experiment file', 'train');
  const valid = readExperiment(file, args.list('set'), keptText(given));
  const { experiment: spec } = valid;
  // A trial's file is its spec.json, in which every setting is written.
  if (given === undefined || resolve(file) !== runPaths(given).spec)
    for (const { message } of ignoredIn(valid)) process.stderr.write(`Warning: ${message}\n`);
  let reference: Reference | undefined;
  if (args.flag('baseline') && spec.task.head === 'none') {
    process.stderr.write('Baseline: the untrained model…\n');
    const metrics = await measureUntrained(spec);
    if (metrics !== 'diverged') reference = { name: 'untrained', metrics, note: '' };
  } else if (args.flag('baseline')) {
    const baseline: Experiment = { ...spec, name: `${spec.name}-head-only`, adapter: HEAD_ALONE };
    process.stderr.write('Baseline: the head alone, same settings.\n');
    const run = newRun(file, args);
    const outcome = await owning(owned(args, run), () => {
      writeSpec(run, baseline);
      return trainRun(baseline, run, false, settings);
    });
    if (outcome.end !== 'finished') return conclude(outcome, run, args);
    const { best } = outcome.result;
    reference = { name: 'head only', metrics: best, note: `step ${best.step}` };
    process.stderr.write('\n');
  }
  const run = given ?? newRun(file, args);
  const go = async () => {
    // A trial's file is its spec.json, which its sweep has written.
    if (resolve(file) !== runPaths(run).spec) writeAtomic(runPaths(run).source, valid.doc.text, run);
    writeSpec(run, spec);
    if (trialOf(run) === undefined) for (const other of foldersBeside(run)) removeGraphs(other);
    return conclude(await trainRun(spec, run, false, settings), run, args, reference);
  };
  return given === undefined ? owning(owned(args, run), go) : go();
}

/** The creator of the folder may have put the file's text there as it was then: the file may have been edited since. */
function keptText(given: string | undefined): string | undefined {
  const kept = given === undefined ? undefined : readIfThereSync(runPaths(given).source);
  return kept && Buffer.from(kept).toString('utf8');
}

const newRun = (file: string, args: ParsedArgs): string =>
  createNumbered(args.text('out') ?? experimentRuns(file));

/** Copies of run folders, and those brought from elsewhere, get numbers before the new run does. */
function createNumbered(runs: string): string {
  numberOthers(runs);
  return createRun(runs);
}

/** The other runs of an experiment. */
const foldersBeside = (run: string): string[] => {
  const runs = dirname(resolve(run));
  return readdirSync(runs).flatMap((name) => (name === basename(run) ? [] : [join(runs, name)]));
};

const WHY: Partial<Record<string, string>> = {
  'window-closed': 'Stopped because its window closed',
  rung: 'Paused for comparison with the other trials',
};

function conclude(outcome: TrainOutcome, run: string, args: ParsedArgs, reference?: Reference): number {
  const line = (value: object) =>
    process.stdout.write(`${JSON.stringify({ run: resolve(run), ...value })}\n`);
  if (outcome.end !== 'finished') {
    if (args.flag('json')) line({ kind: 'stopped', reason: outcome.end, step: outcome.step });
    const why = WHY[outcome.end] ?? 'Stopped';
    process.stderr.write(
      `${why}; everything is saved. Continue with: ${commandLine('train', '--resume', run)}\n`,
    );
    return EXIT.stopped;
  }
  if (args.flag('json')) {
    line({ kind: 'result', ...outcome.result, reference });
    return endOf(outcome.result);
  }
  process.stdout.write(
    [report(outcome.result, run, reference), ...hints(nextSteps(outcome.result.method, run))].join(''),
  );
  return endOf(outcome.result);
}

const endOf = ({ worseThanBaseline }: Extract<TrainOutcome, { end: 'finished' }>['result']): number =>
  worseThanBaseline ? EXIT.baseline : EXIT.ok;

function nextSteps(method: AdapterSpec['method'], run: string): string {
  const trained = method === HEAD_ALONE.method ? undefined : methodOf({ method });
  const hasLora = trained?.peft.type === LORA_TYPE || trained?.lowRank !== undefined;
  return `Next
  the trained model as ONNX    ${commandLine('export', run, '--as', 'onnx-dynamic')}
${hasLora ? `  a LoRA for PEFT              ${commandLine('export', run, '--as', 'peft-lora')}\n` : ''}\
  the adapter as trained       ${join(run, 'adapter', 'best')}
  another try                  open the experiment file in VS Code, change it, and train again
`;
}
