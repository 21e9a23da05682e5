import { totalmem } from 'node:os';
import { basename } from 'node:path';
import { nearestPaths } from '../../adapters/targets/targets';
import type { AuroraError, ErrorKind } from '../../base/errors';
import { bytes, percent } from '../../base/number-text';
import { correctionOf } from '../../data/table/bad-rows';
import type { Experiment } from '../../experiment/experiment';
import type {
  PreflightData,
  PreflightModules,
  PreflightProblem,
  PreflightSet,
  PreflightSplit,
} from '../../protocol/preflight';
import { rowIn, rowName, rowNumber, rowPlace, rowWord, rowWords } from '../../protocol/row-place';
import type { DataSplit, TaskData } from '../../tasks/task-data';
import { taskKind } from '../../tasks/task-registry';
import { truncation } from '../../tasks/text/truncation';
import type { EvaluationData } from '../task/evaluation-data';

/** Rows that a problem links. */
const MOST_PLACES = 5;
/** Share of the machine's memory beyond which other programs are swapped out. */
const MEMORY = 0.8;

/** The most likely setting behind an error. */
const KEY: Partial<Record<ErrorKind, string>> = {
  model: 'model.path',
  notOnnx: 'model.path',
  truncated: 'model.path',
  externalMissing: 'model.path',
  externalOutside: 'model.path',
  operator: 'model.path',
  targets: 'adapter.targetModules',
  rank: 'adapter.rank',
  data: 'data.train',
  emptyData: 'data.train',
  labels: 'data.labelColumn',
  tokenizer: 'model.tokenizer',
  vocabulary: 'model.tokenizer',
  diverged: 'training.learningRate',
  memory: 'training.microBatchSize',
};

const warning = (key: string, message: string, hint?: string): PreflightProblem => ({
  kind: 'problem',
  severity: 'warning',
  message,
  hint,
  key,
});

/** The first setting that a hint names. */
const settingIn = (hint = ''): string | undefined =>
  /\b(?:model|task|data|adapter|training)\.[a-z]\w*/i.exec(hint)?.[0];

/** An error that prevents training, as a line of the report; without a key if no setting is to blame. */
export const problemOf = (e: AuroraError): PreflightProblem => ({
  kind: 'problem',
  severity: 'error',
  message: e.message,
  hint: e.hint,
  key: KEY[e.kind] ?? settingIn(e.hint),
});

export const targetProblems = (line: PreflightModules, paths: readonly string[]): PreflightProblem[] =>
  line.unmatched.map((entry) =>
    warning(
      'adapter.targetModules',
      `The target "${entry}" matched no module.`,
      `Nearest: ${nearestPaths(entry, paths).join(', ')}.`,
    ),
  );

export function dataProblems(
  spec: Experiment,
  data: TaskData,
  sets: readonly EvaluationData[],
  line: PreflightData,
): PreflightProblem[] {
  return [
    ...data.assumed.map(({ key, message }) => warning(key, message)),
    ...skippedProblems(spec, 'data.train', data.train),
    ...skippedProblems(spec, 'data.validation', data.validation),
    ...sets.flatMap((s) => skippedProblems(spec, s.set.key.join('.'), s.data.validation)),
    ...truncationProblems(spec, data.train),
    ...balanceProblems(spec, line),
  ];
}

/**
 * The conditions that make results look better than they are: one label nearly everywhere, the same text on both sides.
 */
export const balanceProblems = (spec: Experiment, line: PreflightData): PreflightProblem[] => [
  ...taskKind(spec.task)
    .findings(spec, line)
    .map(({ key, message, hint }) => warning(key, message, hint)),
  ...duplicateProblems(spec, line),
  ...(line.sets ?? []).flatMap((set) => sharedProblems(set, line)),
];

/** Rows at which training would stop, or which it would leave out. */
function skippedProblems(
  spec: Experiment,
  key: string,
  { path, parts, skipped }: DataSplit,
): PreflightProblem[] {
  const fails = spec.data.onBadRow === 'fail';
  const unknown = skipped.filter((s) => s.unknownLabel !== undefined);
  const bad = skipped.filter((s) => s.unknownLabel === undefined);
  const severity = fails ? 'error' : 'warning';
  const problem = (message: string, hint: string, rows: typeof skipped): PreflightProblem => ({
    ...warning(key, message, hint),
    severity,
    places: rows.slice(0, MOST_PLACES).map(({ line }) => rowIn(path, line, parts)),
    ...(fails && { fixes: [{ key: 'data.onBadRow', value: 'skip' }] }),
  });
  const labels = [...new Set(unknown.map((s) => s.unknownLabel!))];
  const shown = labels.slice(0, 5).map((l) => `"${l}"`);
  return [
    ...(bad.length
      ? [
          problem(
            `${rowPlace(path, bad[0].line, parts)}: ${bad[0].reason}${bad.length > 1 ? `; ${bad.length} rows in all cannot be used${othersOf(path, bad, parts)}` : ''}.`,
            fails ? correctionOf(bad, bad.length === 1) : 'They are skipped (data.onBadRow is "skip").',
            bad,
          ),
        ]
      : []),
    ...(unknown.length
      ? [
          problem(
            `${rowPlace(path, unknown[0].line, parts)}: ${unknown.length > 1 ? `${unknown.length} rows have labels` : 'a row has a label'} that no training row has: ${shown.join(', ')}${labels.length > 5 ? ', …' : ''}.`,
            'Correct the labels, or add training rows with them.',
            unknown,
          ),
        ]
      : []),
  ];
}

/** " (also lines 33, 47 and 2 more)" */
function othersOf(path: string, [, ...others]: DataSplit['skipped'], parts: DataSplit['parts']): string {
  const shown = others.slice(0, 4).map(({ line }) => rowNumber(path, line, parts));
  const more = others.length > shown.length ? `, and ${others.length - shown.length} more` : '';
  const word = parts ? '' : `${rowWord(path)}${others.length > 1 ? 's' : ''} `;
  return ` (also ${word}${shown.join(', ')}${more})`;
}

function truncationProblems(spec: Experiment, { dataset }: DataSplit): PreflightProblem[] {
  const cut = truncation(spec, dataset);
  if (!cut) return [];
  const found = warning(
    'model.maxLength',
    `${percent(cut.share, 0)} of the training texts are longer than ${spec.model.maxLength} tokens and are truncated.`,
    'Raise model.maxLength if the model has positions for more and the truncated part matters.',
  );
  return [cut.chosen ? { ...found, severity: 'note' } : found];
}

type Place = NonNullable<PreflightProblem['places']>[number];

/** The rows of pairs, each once. */
function placesOf(
  a: PreflightSplit,
  b: PreflightSplit,
  pairs: readonly (readonly [number, number])[],
): { places: Place[] } {
  const all = pairs.flatMap(([x, y]) => [rowIn(a.path, x, a.parts), rowIn(b.path, y, b.parts)]);
  const each = new Map(all.map((place) => [`${place.row} ${place.file}`, place]));
  return { places: [...each.values()].slice(0, MOST_PLACES) };
}

/** "rows 3 and 7, 4 and 9", or each with its file where there are several. */
function pairsOf(
  a: PreflightSplit,
  b: PreflightSplit,
  pairs: readonly (readonly [number, number])[],
): string {
  if (!a.parts && !b.parts)
    return `${rowWords(a.path, b.path)} ${pairs.map((rows) => rows.join(' and ')).join(', ')}`;
  const name = ({ path, parts = [{ file: basename(path), before: 0 }] }: PreflightSplit, row: number) =>
    rowName(path, row, parts);
  return pairs.map(([x, y]) => `${name(a, x)} and ${name(b, y)}`).join(', ');
}

function duplicateProblems(spec: Experiment, line: PreflightData): PreflightProblem[] {
  const { acrossSplits, conflicts } = line.duplicates;
  const shared = acrossSplits.first.map((p) => [p.train, p.validation] as const);
  const pairs = pairsOf(line.train, line.validation, shared);
  const clashes = conflicts.first
    .map((c) => `${pairsOf(line.train, line.train, [c.lines])} ("${c.labels.join('", "')}")`)
    .join(', ');
  const [several, one] = line.train.numbers
    ? ['more than one number', 'number']
    : line.train.unlabeled === undefined
      ? ['more than one label', 'label']
      : ['different labels', 'list of labels'];
  return [
    ...(acrossSplits.count
      ? [
          {
            ...placesOf(line.train, line.validation, shared),
            ...warning(
              spec.data.validation === undefined ? 'data.train' : 'data.validation',
              `${acrossSplits.count} of ${line.validation.examples} validation examples are also trained on (training and validation ${pairs}${acrossSplits.count > acrossSplits.first.length ? ', …' : ''}), so the metrics will be too optimistic.`,
              'Remove them from one of the two sets.',
            ),
          },
        ]
      : []),
    ...(conflicts.count
      ? [
          {
            ...placesOf(
              line.train,
              line.train,
              conflicts.first.map((c) => c.lines),
            ),
            ...warning(
              'data.train',
              `${conflicts.count === 1 ? 'One training example has' : `${conflicts.count} training examples have`} ${several}: ${clashes}${conflicts.count > conflicts.first.length ? ', …' : ''}.`,
              `Keep one ${one} for each of them.`,
            ),
          },
        ]
      : []),
  ];
}

/** Texts that the best adapter is scored on, and that it was trained on or chosen by. */
function sharedProblems(set: PreflightSet, { train, validation }: PreflightData): PreflightProblem[] {
  const what = set.name === undefined ? 'test examples' : `examples of the evaluation set "${set.name}"`;
  const found = [
    { shared: set.inTrain, other: train, how: 'also trained on', why: 'so the score will be too optimistic' },
    {
      shared: set.inValidation,
      other: validation,
      how: 'also validation examples',
      why: 'which choose the checkpoint, so the score is not independent',
    },
  ];
  return found.flatMap(({ shared: { count, first }, other, how, why }) => {
    if (count === 0) return [];
    const rows = first.map((p) => [p.line, p.other] as const);
    const pairs = pairsOf(set, other, rows);
    const places = `${pairs}${count > first.length ? ', …' : ''}`;
    return [
      {
        ...placesOf(set, other, rows),
        ...warning(
          set.key,
          `${count} of ${set.examples} ${what} are ${how} (${places}), ${why}.`,
          'Remove them from one of the two sets.',
        ),
      },
    ];
  });
}

export function memoryProblems(
  size: number,
  { batchSize, microBatchSize = batchSize }: Pick<Experiment['training'], 'batchSize' | 'microBatchSize'>,
  machine = totalmem(),
): PreflightProblem[] {
  if (size < MEMORY * machine) return [];
  const half = Math.floor(microBatchSize / 2);
  return [
    {
      ...warning(
        'training.microBatchSize',
        `A step takes ${bytes(size)} of this machine's ${bytes(machine)} of memory.`,
        'Set training.microBatchSize below training.batchSize: a batch is then run in parts, with the same result.',
      ),
      ...(half >= 1 && { fixes: [{ key: 'training.microBatchSize', value: half }] }),
    },
  ];
}
