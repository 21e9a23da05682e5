import { basename } from 'node:path';
import { placeName, type Place } from '../../../engine/place';
import {
  labeled,
  type PreflightData,
  type PreflightEstimate,
  type PreflightLine,
  type PreflightModules,
  type PreflightProblem,
  type PreflightSplit,
  type PreflightStep,
} from '../../../protocol/preflight';
import { readingText } from '../../../protocol/preparing';
import { leftOutText } from '../../../protocol/left-out';
import { deviceLine } from '../../device-line';
import { durationText, stepTime } from '../../../base/time-text';
import { bytes, count, numberText } from '../../../base/number-text';
import { cautiousPercent, percent, sharePercent } from '../../../base/percent';
import { rowPlace } from '../../../protocol/row-place';
import { table } from '../../table';
import { isHeadAlone } from '../../../experiment/methods';
import { formatMetric } from '../../../experiment/metrics';

/** The number of labels listed; any others are only counted, since there may be hundreds. */
const SHOWN_LABELS = 12;

/** The words for the treatment of a file's quotes. */
const QUOTES = { csv: 'as in CSV', text: 'as text (the file is not quoted)' };

/** A line of the preflight as terminal text; ends with a line break. */
export function preflightText(line: PreflightLine): string {
  switch (line.kind) {
    case 'reading':
      return `${readingText(line)}\n`;
    case 'modules':
      return modules(line);
    case 'data':
      return data(line);
    case 'measuring':
      return `\nMeasuring the first step: ${line.places.map((p) => placeName(p as Place)).join(', ')}…\n`;
    case 'device':
      return `\n${deviceLine(line)}\n`;
    case 'step':
      return step(line);
    case 'estimate':
      return estimate(line);
    case 'problem':
      return problem(line);
  }
}

/** With the rows that show it, as terminals link them, unless the message names them. */
function problem({ severity, message, hint, places = [] }: PreflightProblem): string {
  const rows = places.map(({ file, row }) => rowPlace(file, row));
  const more = rows.some((row) => message.includes(row)) ? [] : [rows.join(', ')];
  return `${[`${severity}: ${message}`, ...[hint ?? '', ...more].filter(Boolean).map((l) => `         ${l}`)].join('\n')}\n`;
}

function modules(line: PreflightModules): string {
  if (isHeadAlone(line)) return 'Modules  none: the head alone is trained\n';
  const share = sharePercent(line.adapterParameters / line.modelParameters);
  const rows = line.modules.map((m) => [
    `  ${m.path}`,
    `${m.inFeatures} → ${m.outFeatures}`,
    m.rank === undefined ? '' : `rank ${m.rank}`,
    count(m.parameters),
  ]);
  return `${[
    `Modules  ${line.method} on ${line.modules.length} of ${line.linearLayers} linear layers: ${count(line.adapterParameters)} trainable parameters, ${share} of the model's ${count(line.modelParameters)}`,
    ...table(rows, '   '),
    ...(line.leftOut.length > 0 ? [`  left out: ${leftOutText(line.leftOut)}`] : []),
  ].join('\n')}\n`;
}

function data(line: PreflightData): string {
  const { train, validation, labels, duplicates, packing, sets = [] } = line;
  const splits = [
    ['training', train],
    ['validation', validation],
  ] as const;
  const all = [...splits, ...sets.map((s) => [s.name ?? 'test', s] as const)];
  const { acrossSplits, withinTrain, conflicts } = duplicates;
  return `${[
    '',
    `Data     ${basename(train.path)}${line.measuresTraining ? ', which is also measured' : validation.path === train.path ? ', a share of it held out' : ` and ${basename(validation.path)}`}`,
    ...sizes(all),
    ...all.flatMap(([name, s]) =>
      s.quotes ? [`  quotes in the ${name} file: read ${QUOTES[s.quotes]}`] : [],
    ),
    ...(packing
      ? [
          `  packed: ${count(train.examples)} training examples in ${count(packing.rows)} rows, ${percent(packing.padding)} padding (${percent(packing.paddingApart)} without packing)`,
        ]
      : []),
    ...answers(splits, labels),
    `  duplicates: ${count(acrossSplits.count)} across the splits, ${count(withinTrain)} within the training data, ${count(conflicts.count)} of them with conflicting ${train.numbers ? 'numbers' : 'labels'}`,
    ...sets.map(
      (s) =>
        `  of the ${s.name ?? 'test'} examples: ${count(s.inTrain.count)} also in the training data, ${count(s.inValidation.count)} also in the validation data`,
    ),
  ].join('\n')}\n`;
}

/** The numbers of examples and, for texts, their lengths. */
function sizes(splits: readonly (readonly [string, PreflightSplit])[]): string[] {
  if (splits.every(([, s]) => s.tokens.max === 1))
    return table([['  ', 'examples'], ...splits.map(([name, s]) => [`  ${name}`, count(s.examples)])], '   ');
  return table(
    [
      ['  tokens', 'examples', 'shortest', 'median', '90%', '99%', 'longest', 'truncated'],
      ...splits.map(([name, s]) => [
        `  ${name}`,
        count(s.examples),
        ...[s.tokens.min, s.tokens.median, s.tokens.p90, s.tokens.p99, s.tokens.max].map(count),
        `${count(s.truncated)} (${cautiousPercent(s.truncated / s.examples)})`,
      ]),
    ],
    '   ',
  );
}

/** The answers, by their shape. */
function answers(
  splits: readonly (readonly [string, PreflightSplit])[],
  labels: readonly string[],
): string[] {
  const [[, train], [, validation]] = splits;
  if (train.numbers) return numbers(splits);
  if (train.pictures) return pictures(splits);
  if (train.targets === undefined) return balance(labels, train, validation);
  return splits.map(([name, s]) => `  tokens to predict in the ${name} data: ${count(s.targets ?? 0)}`);
}

function numbers(splits: readonly (readonly [string, PreflightSplit])[]): string[] {
  const rows = splits.flatMap(([name, { numbers: n }]) =>
    n ? [[`  ${name}`, ...[n.min, n.median, n.max, n.mean, n.deviation].map(numberText)]] : [],
  );
  return table([['  numbers', 'min', 'median', 'max', 'mean', 'standard deviation'], ...rows], '   ');
}

/** Images, and at how many timesteps each is measured. */
const pictures = (splits: readonly (readonly [string, PreflightSplit])[]): string[] =>
  splits.flatMap(([name, { pictures: p }]) => {
    if (!p) return [];
    const more = [
      ...(p.classImages > 0 ? [`${count(p.classImages)} class images`] : []),
      ...(p.timesteps > 0 ? [`${p.timesteps} timesteps of each`] : []),
    ];
    return [`  ${name}: ${[`${count(p.images)} images`, ...more].join(', ')}`];
  });

/** The largest classes first. */
function balance(labels: readonly string[], train: PreflightSplit, validation: PreflightSplit): string[] {
  const sorted = labels.toSorted((a, b) => train.labels[b] - train.labels[a]);
  const shown = sorted.slice(0, SHOWN_LABELS);
  const cell = (s: PreflightSplit, label: string) =>
    `${count(s.labels[label])} (${cautiousPercent(s.labels[label] / labeled(s))})`;
  return [
    ...table(
      [
        ['  label', 'training', 'validation'],
        ...shown.map((l) => [`  ${l}`, cell(train, l), cell(validation, l)]),
      ],
      '   ',
    ),
    ...(sorted.length > shown.length ? [`  and ${sorted.length - shown.length} rarer labels`] : []),
    ...(train.unlabeled === undefined
      ? []
      : [
          `  without any label: ${count(train.unlabeled)} training examples and ${count(validation.unlabeled ?? 0)} validation examples; an example can have several labels`,
        ]),
  ];
}

const step = (s: PreflightStep): string =>
  s.step === 0
    ? `\nSteps    warm-up, the ${s.examples} longest examples: ${stepTime(s.seconds)}\n`
    : `  ${s.step} of ${s.of}: ${stepTime(s.seconds)}, loss ${formatMetric('loss', s.loss)}, ${s.examples} examples, ${count(s.tokens)} tokens\n`;

const estimate = (e: PreflightEstimate): string =>
  `\n${[
    `${stepTime(e.secondsPerStep)} per step · about ${durationText(60 * e.minutes)} for ${count(e.steps)} steps and ${e.evaluations} ${e.evaluations === 1 ? 'evaluation' : 'evaluations'} · ${bytes(e.memoryBytes)} memory`,
    ...(e.microBatch
      ? [
          `${e.microBatch.examples} of a batch's ${e.microBatch.of} examples (${e.microBatch.length} tokens) are run at a time, with the same result`,
        ]
      : []),
    `${count(e.trainable)} trainable parameters, including the head's`,
  ].join('\n')}\n`;
