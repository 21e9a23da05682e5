import { join, resolve } from 'node:path';
import { AuroraError, EXIT } from '../../base/errors';
import { cautiousPercent, count } from '../../base/number-text';
import { metricCells, metricHeads, metricsIn } from '../../experiment/metrics';
import {
  type Combination,
  COMBINATIONS,
  combinationSteps,
  combinationWords,
  MAJORITY_SIGN_METHODS,
  type MajoritySignMethod,
} from '../../protocol/combination';
import { combinationText } from '../../protocol/combination-record';
import { type CombineLine, combineProgress } from '../../protocol/combine';
import { loadExperiment } from '../../runs/experiment/load';
import { experimentRuns } from '../../runs/layout';
import { parseAt } from '../../training/checkpoint/trained-run';
import { type Combined, combineAdapters, runsBeside } from '../../training/combine/combine-adapters';
import { problemOf } from '../../training/preflight/preflight-problems';
import { runFolder } from '../arguments';
import { ReadingProgress } from '../bar';
import { type Command, type ParsedArgs, wholeNumber } from '../command';
import { hints, write } from '../output';
import { writeReport } from '../report-text';
import { endOnSignals } from '../signals';
import { commandLine } from '../suggested-commands';
import { table } from '../table';

const WIDTH = 21;

export const combineCommand: Command = {
  help: `Usage: aurora combine A B … [options]

Combines adapters of one model into one LoRA, and creates a run that has it as its step 0, evaluated on the validation data. The run
can be compared, exported, viewed and trained further like any other. Each adapter is a run, or a folder in PEFT's layout. LoRA, rsLoRA,
MoSLoRA and VeRA are combined exactly as trained, AuroRA with its linear fit.

  --combination RULE (default: svd)
${COMBINATIONS.map((name) => `    ${name.padEnd(WIDTH)}${combinationWords(name)}`).join('\n')}

  --weights LIST     a number for each adapter, such as 1,0.5,-1 (default: those of the mean, which are 1 for the rules with ties, and
                     otherwise 1 divided by the number of adapters)
  --rank N           for the rules with svd: the rank of the result (default: the largest rank of the adapters)
  --density SHARE    for ties, dare and magnitude_prune: the share of values to keep, above 0 and at most 1
  --majority-sign-method HOW
                     for ties: total (default), the sign of the sum of the values, or frequency, that of most values
  --seed N           for dare: the seed of the dropped values (default: the experiment's)
  --head-of A        the adapter whose trained head the result has, if the heads differ: as given, or its place from 1
  --at WHICH         the state of the runs: best (default), last, or the step of a checkpoint
  --experiment FILE  model, data and training settings of the new run (default: those of the first run)
  --set KEY=VALUE    with --experiment: override a setting of it (may be given several times)
  --name NAME        the run's name
  --out DIR          put the run folder in DIR instead of beside the first run, or beside the experiment
  --json             JSON lines: preparing, reading, fitting, combining, measuring, result, problem

Exits with 22 if an adapter cannot be combined, or the adapters do not fit together.
`,
  options: {
    combination: { type: 'string' },
    weights: { type: 'string' },
    rank: { type: 'string' },
    density: { type: 'string' },
    'majority-sign-method': { type: 'string' },
    seed: { type: 'string' },
    'head-of': { type: 'string' },
    at: { type: 'string' },
    experiment: { type: 'string' },
    set: { type: 'string', multiple: true },
    name: { type: 'string' },
    out: { type: 'string' },
    json: { type: 'boolean' },
  },
  values: {
    combination: [...COMBINATIONS],
    'majority-sign-method': [...MAJORITY_SIGN_METHODS],
    at: ['best', 'last'],
  },
  async run(args) {
    endOnSignals();
    const json = args.flag('json');
    const emit = json ? (line: CombineLine) => write(`${JSON.stringify(line)}\n`) : terminalProgress();
    try {
      const given = givenAdapters(args);
      const file = args.text('experiment');
      const combined = await combineAdapters({
        adapters: given,
        weights: weightsOf(args, given.length),
        ...ruleOf(args),
        at: parseAt(args.text('at')),
        headOf: headOf(args.text('head-of')),
        experiment: experimentOf(args, file),
        runs: args.text('out') ?? (file === undefined ? runsBeside(given)! : experimentRuns(file)),
        name: args.text('name'),
        hashWorker: join(__dirname, 'hash-worker.cjs'),
        emit,
      });
      const { run, metrics, warnings, record, kept } = combined;
      await emit({
        kind: 'result',
        run: resolve(run),
        metrics,
        warnings,
        record,
        ...(kept !== undefined && { kept }),
      });
      if (!json) {
        for (const words of [...combined.task.warnings, ...warnings])
          process.stderr.write(`warning: ${words}\n`);
        await write(report(combined));
      }
      return EXIT.ok;
    } catch (e) {
      if (json && e instanceof AuroraError) await write(`${JSON.stringify(problemOf(e))}\n`);
      throw e;
    }
  },
};

const usage = (message: string, hint = 'See `aurora combine --help`.'): AuroraError =>
  new AuroraError('usage', message, hint);

/** A run's number, or a folder. */
function givenAdapters({ positionals, text }: ParsedArgs): string[] {
  if (positionals.length === 0) throw usage('aurora combine needs the adapters to combine.');
  if (positionals.length === 1 && !(text('combination') ?? 'svd').endsWith('svd'))
    throw usage(
      'aurora combine needs at least two adapters, except with the rules with svd.',
      `To lower the rank of one: ${commandLine('combine', positionals[0], '--rank', '4')}`,
    );
  const folders = positionals.map((one) => resolve(runFolder(one)));
  const twice = folders.find((folder, i) => folders.indexOf(folder) !== i);
  if (twice !== undefined) throw usage(`${twice} is given twice.`, 'Give it once, with a larger weight.');
  if (text('experiment') === undefined && text('out') === undefined && runsBeside(folders) === undefined)
    throw usage(
      'Adapters alone have neither a model nor data to be evaluated on.',
      'Give at least one run, or an experiment with --experiment FILE.',
    );
  return folders;
}

function experimentOf(args: ParsedArgs, file: string | undefined) {
  const overrides = args.list('set');
  if (file !== undefined) return { spec: loadExperiment(file, overrides), file };
  if (overrides.length > 0) throw usage('--set changes a setting of the experiment of --experiment FILE.');
  return undefined;
}

function weightsOf(args: ParsedArgs, adapters: number): number[] | undefined {
  const given = args.text('weights');
  if (given === undefined) return undefined;
  const weights = given.split(',').map((text) => (text.trim() === '' ? NaN : Number(text)));
  if (!weights.every(Number.isFinite))
    throw usage(`--weights takes numbers, not "${given}".`, 'For example: --weights 1,0.5');
  if (weights.length !== adapters)
    throw usage(`--weights has ${weights.length} numbers for ${adapters} adapters.`);
  return weights;
}

/** The rule of --combination and the settings that it takes. */
function ruleOf(args: ParsedArgs) {
  const given = args.text('combination') ?? 'svd';
  const combination = COMBINATIONS.find((each) => each === given);
  if (!combination) throw usage(`--combination takes ${COMBINATIONS.join(', ')}, not "${given}".`);
  const { prunes, elects, decomposes } = combinationSteps(combination);
  const without = (option: string, of: string) =>
    usage(`--${option} is for ${of}, and --combination is ${combination}.`);
  const rank = args.text('rank');
  if (rank !== undefined && !decomposes) throw without('rank', 'the rules with svd');
  const majoritySignMethod = args.text('majority-sign-method');
  if (majoritySignMethod !== undefined && !elects)
    throw without('majority-sign-method', 'the rules with ties');
  const seed = args.text('seed');
  if (seed !== undefined && prunes !== 'random') throw without('seed', 'the rules with dare');
  const density = args.text('density');
  if (density !== undefined && !prunes)
    throw without('density', 'the rules with ties, dare or magnitude_prune');
  return {
    combination,
    rank: rank === undefined ? undefined : positive('rank', rank),
    density: prunes ? densityOf(density, combination) : undefined,
    majoritySignMethod: signMethodOf(majoritySignMethod),
    seed: seed === undefined ? undefined : wholeNumber('seed', seed),
  };
}

function positive(option: string, given: string): number {
  const n = wholeNumber(option, given);
  if (n > 0) return n;
  throw usage(`--${option} takes a number of 1 or more.`);
}

function densityOf(given: string | undefined, combination: Combination): number {
  if (given === undefined)
    throw usage(
      `--combination ${combination} needs the share of values to keep.`,
      'For example: --density 0.5',
    );
  const density = Number(given);
  if (given.trim() !== '' && density > 0 && density <= 1) return density;
  throw usage(`--density takes a number above 0 and at most 1, not "${given}".`);
}

function signMethodOf(given = 'total'): MajoritySignMethod {
  const method = MAJORITY_SIGN_METHODS.find((each) => each === given);
  if (method) return method;
  throw usage(`--majority-sign-method takes ${MAJORITY_SIGN_METHODS.join(' or ')}, not "${given}".`);
}

/** The value of --head-of: an adapter as on the command line, or its place. */
const headOf = (given: string | undefined): string | undefined =>
  given === undefined || /^[1-9]\d*$/.test(given) ? given : resolve(runFolder(given));

function terminalProgress(): (line: CombineLine) => Promise<void> {
  const reading = new ReadingProgress();
  return async (line) => {
    if (line.kind === 'fitting') return reading.fitting(line.done, line.of);
    if (line.kind === 'combining') return reading.combining(line.done, line.of);
    return writeReport([], combineProgress(line));
  };
}

function report({ run, task, metrics, record, kept }: Combined): string {
  const baseline = task.kind.baseline(task.data);
  const names = metricsIn(metrics);
  const lines = [
    `${combinationText(record)}: a LoRA on ${task.adapters.length} modules, evaluated on ${count(metrics.examples)} validation examples:`,
    '',
    ...table([
      ['  ', ...metricHeads(names), ''],
      ['  baseline', ...metricCells(names, { [baseline.metric]: baseline.value }), baseline.answer],
      ['  combined', ...metricCells(names, metrics), ''],
    ]),
    '',
    ...(kept === undefined
      ? []
      : [
          `Rank ${record.rank} holds ${cautiousPercent(kept)} of the squared norm of the combined change.`,
          '',
        ]),
    `Run folder  ${run}`,
    ...hints('', `Train it further with: ${commandLine('train', '--resume', run)}`),
  ];
  return `${lines.join('\n')}\n`;
}
