import { t } from '../../base/l10n';
import { codeSpan } from '../../base/escape';
import { own } from '../../base/names';
import {
  bytes,
  count,
  numberText,
  cautiousPercent,
  percent,
  sharePercent,
  durationText,
  stepTime,
} from '../../base/number-text';
import { isHeadAlone, METHOD_NAMES, type MethodName } from '../../experiment/methods';
import { formatMetric } from '../../experiment/metrics';
import { deviceSentence, placeName } from '../device-words';
import { leftOutText } from '../left-out';
import {
  labeled,
  type NumberFacts,
  type PreflightData,
  type PreflightDevice,
  type PreflightEstimate,
  type PreflightLine,
  type PreflightModules,
  type PreflightProblem,
  type PreflightSplit,
  type PreflightStep,
} from '../preflight';
import { readingText } from '../preparing';
import { fileOf, rowNumber, rowWords } from '../row-place';
import type { Column, Part, Report } from './report';

/** There may be hundreds of labels. */
const FEW_LABELS = 12;

/** The lines of a preflight so far. */
export interface PreflightLines {
  modules?: PreflightModules;
  data?: PreflightData;
  device?: PreflightDevice;
  steps: PreflightStep[];
  estimate?: PreflightEstimate;
  problems: PreflightProblem[];
}

/** Adds a line and returns the progress text for the next step; undefined if there is nothing new. */
export function addPreflightLine(lines: PreflightLines, line: PreflightLine): string | undefined {
  switch (line.kind) {
    case 'modules':
      lines.modules = line;
      if (line.modules.length === 1) return t('1 module gets an adapter; reading the data…');
      return t('{0} modules get an adapter; reading the data…', line.modules.length);
    case 'reading':
      return readingText(line);
    case 'data':
      lines.data = line;
      return t('{0} examples read; opening the model…', count(line.train.examples));
    case 'measuring':
      return t('Looking for the fastest device: {0}…', line.places.map((p) => placeName(p)).join(', '));
    case 'device':
      lines.device = line;
      return t('{0}: warming up with the longest examples…', placeName(line));
    case 'step':
      lines.steps.push(line);
      if (line.step > 0) return t('Step {0} of {1}: {2}', line.step, line.of, stepTime(line.seconds));
      return line.of === 1 ? t('Measuring 1 step…') : t('Measuring {0} steps…', line.of);
    case 'estimate':
      lines.estimate = line;
      return undefined;
    case 'problem':
      lines.problems.push(line);
      return undefined;
  }
}

/** "0.6 s/step on webgpu · 14 min · 0.9 GB"; undefined before the estimate. */
export function preflightSummary({ estimate, device }: PreflightLines): string | undefined {
  if (!estimate) return undefined;
  const { secondsPerStep, minutes, memoryBytes } = estimate;
  const pace = device
    ? t('{0}/step on {1}', stepTime(secondsPerStep), device.device)
    : t('{0}/step', stepTime(secondsPerStep));
  return [pace, roughly(minutes), bytes(memoryBytes)].join(' · ');
}

/** The whole report: its result and the problems first. */
export function preflightReport(name: string, lines: PreflightLines): Report {
  const { modules, data, device, problems } = lines;
  return {
    title: t('Preflight of {0}', name),
    parts: [
      ...estimateParts(lines),
      ...(device ? [deviceSentence(device)] : []),
      ...(problems.length > 0 ? [{ heading: t('Problems') }, { problems }] : [t('No problems found.')]),
      ...(modules ? moduleParts(modules) : []),
      ...(data ? dataParts(data) : []),
      ...stepParts(lines.steps),
    ],
  };
}

/** The parts of the report that are known once a line has been added, in the order in which they become known. */
export function partsOfPreflight(line: PreflightLine, lines: PreflightLines): Part[] {
  switch (line.kind) {
    case 'modules':
      return moduleParts(line);
    case 'data':
      return dataParts(line);
    case 'device':
      return [{ verdict: deviceSentence(line) }];
    case 'estimate':
      return [...stepParts(lines.steps), ...estimateParts(lines)];
    case 'problem':
      return [{ problems: [line] }];
    default:
      return [];
  }
}

/** To the minute; to the second below one minute. */
const roughly = (minutes: number): string =>
  durationText(minutes < 1 ? Math.max(1, Math.round(60 * minutes)) : 60 * Math.round(minutes));

const shareText = (part: number, of: number): string => cautiousPercent(of > 0 ? part / of : 0);

const share = (part: number, of: number): string => `${count(part)} (${shareText(part, of)})`;

function estimateParts(lines: PreflightLines): Part[] {
  const { estimate } = lines;
  if (!estimate) return [];
  const { steps, evaluations, otherMinutes, trainable, writing, microBatch } = estimate;
  return [
    { verdict: preflightSummary(lines)! },
    t(
      'The whole run has {0} steps and {1}; preparation, evaluations and snapshots take {2}. It trains {3} parameters, including the head’s. Measured with real training steps on this machine; memory is the peak of the process, including the longest examples.',
      count(steps),
      evaluations === 1 ? t('1 evaluation') : t('{0} evaluations', count(evaluations)),
      roughly(otherMinutes),
      count(trainable),
    ),
    ...(writing
      ? [
          t(
            'Of this, {0} are for writing {1} answers of up to {2} tokens, by which the run is scored. Fewer evaluations (training.evaluateEvery) or validation examples take less.',
            roughly(writing.minutes),
            count(writing.answers),
            count(writing.tokens),
          ),
        ]
      : []),
    ...(microBatch
      ? [
          t(
            '{0} of a batch’s {1} examples ({2} tokens) run at a time, with the same result.',
            ...([microBatch.examples, microBatch.of, microBatch.length] as const),
          ),
        ]
      : []),
  ];
}

function moduleParts(line: PreflightModules): Part[] {
  const heading = { heading: t('Modules') };
  if (isHeadAlone(line)) return [heading, t('No adapter: only the head is trained.')];
  const { method, modules, linearLayers, adapterParameters, modelParameters, unmatched, leftOut } = line;
  return [
    heading,
    t(
      '{0} of {1} linear layers get an adapter ({2}): {3} trainable parameters, {4} of the model’s {5}.',
      modules.length,
      linearLayers,
      METHOD_NAMES[method as MethodName],
      count(adapterParameters),
      sharePercent(adapterParameters / modelParameters),
      count(modelParameters),
    ),
    ...(unmatched.length > 0
      ? [t('These entries matched nothing: {0}.', unmatched.map(codeSpan).join(', '))]
      : []),
    ...(leftOut.length > 0 ? [t('Excluded: {0}', leftOutText(leftOut))] : []),
    {
      columns: [
        { code: t('module') },
        { number: t('out × in') },
        { number: t('rank') },
        { number: t('trainable') },
      ],
      rows: modules.map((m) => [
        m.path,
        `${m.outFeatures} × ${m.inFeatures}`,
        m.rank === undefined ? '–' : String(m.rank),
        count(m.parameters),
      ]),
    },
  ];
}

function dataParts(d: PreflightData): Part[] {
  const { train, validation, sets = [], packing } = d;
  const all = [train, validation, ...sets];
  const row = (name: string, of: (s: PreflightSplit) => string) => [name, ...all.map(of)];
  const hasTexts = all.some(({ tokens }) => tokens.max !== 1);
  return [
    { heading: t('Data') },
    {
      columns: ['', ...splitColumns(), ...sets.map(({ name }) => ({ number: name ?? t('test') }))],
      rows: [
        row(t('file'), (s) => fileOf(s.path)),
        row(t('examples'), (s) => count(s.examples)),
        ...(hasTexts
          ? [
              row(t('tokens: shortest'), ({ tokens }) => count(tokens.min)),
              row(t('tokens: median'), ({ tokens }) => count(tokens.median)),
              row(t('tokens: 90%'), ({ tokens }) => count(tokens.p90)),
              row(t('tokens: 99%'), ({ tokens }) => count(tokens.p99)),
              row(t('tokens: longest'), ({ tokens }) => count(tokens.max)),
              row(t('truncated to model.maxLength'), (s) => share(s.truncated, s.examples)),
            ]
          : []),
        row(t('unusable rows'), (s) => count(s.badRows.count)),
        ...(all.some((s) => s.quotes) ? [row(t('quotes'), quotesText)] : []),
      ],
    },
    ...(d.measuresTraining
      ? [t('The training images are also measured, with noise and timesteps that stay the same.')]
      : validation.path === train.path
        ? [t('The validation data are a share of the training file.')]
        : []),
    ...(packing
      ? [
          t(
            'The training examples are packed into {0} rows, with {1} padding ({2} without packing).',
            count(packing.rows),
            percent(packing.padding),
            percent(packing.paddingApart),
          ),
        ]
      : []),
    ...answerParts(d),
    ...(hasTexts
      ? [
          t(
            'Show Tokens, or {0}, shows which tokens of a row count in the loss.',
            codeSpan('aurora tokens FILE --row N'),
          ),
        ]
      : []),
    { list: duplicateLines(d) },
  ];
}

const splitColumns = (): Column[] => [{ number: t('training') }, { number: t('validation') }];

function quotesText({ quotes }: PreflightSplit): string {
  if (quotes === undefined) return '–';
  return quotes === 'csv' ? t('as in CSV') : t('as text (the file is not quoted)');
}

/** The distribution of the answers, by their shape. */
function answerParts({ labels, train, validation }: PreflightData): Part[] {
  const splits = [train, validation];
  const table = (head: string, rows: string[][], few?: number): Part => ({
    columns: [head, ...splitColumns()],
    rows,
    few,
  });
  if (train.numbers) {
    const row = (name: string, of: (n: NumberFacts) => number) => [
      name,
      ...splits.map(({ numbers }) => (numbers ? numberText(of(numbers)) : '–')),
    ];
    return [
      table(t('numbers'), [
        row(t('smallest'), (n) => n.min),
        row(t('median'), (n) => n.median),
        row(t('largest'), (n) => n.max),
        row(t('mean'), (n) => n.mean),
        row(t('standard deviation'), (n) => n.deviation),
      ]),
    ];
  }
  if (train.pictures) {
    const row = (name: string, of: (p: NonNullable<PreflightSplit['pictures']>) => number) => [
      name,
      ...splits.map(({ pictures }) => (pictures ? count(of(pictures)) : '–')),
    ];
    return [
      table('', [
        row(t('images'), (p) => p.images),
        row(t('class images'), (p) => p.classImages),
        row(t('timesteps of each'), (p) => p.timesteps),
      ]),
    ];
  }
  if (train.targets !== undefined) {
    const row = (name: string, of: (s: PreflightSplit) => string) => [name, ...splits.map(of)];
    return [
      table('', [
        row(t('tokens to predict'), ({ targets = 0 }) => count(targets)),
        row(t('share of all tokens'), ({ targets = 0, tokens, examples }) =>
          shareText(targets, tokens.mean * examples),
        ),
        row(t('rows without any'), ({ withoutTargets = 0 }) => count(withoutTargets)),
      ]),
    ];
  }
  const several = train.unlabeled !== undefined;
  const counted = (name: string, of: (s: PreflightSplit) => number) => [
    name,
    ...splits.map((s) => share(of(s), labeled(s))),
  ];
  const of = (s: PreflightSplit, label: string) => own(s.labels, label) ?? 0;
  return [
    table(
      t('label'),
      [
        ...(several ? [counted(t('(none)'), (s) => s.unlabeled ?? 0)] : []),
        ...labels
          .toSorted((a, b) => of(train, b) - of(train, a))
          .map((label) => counted(label, (s) => of(s, label))),
      ],
      FEW_LABELS,
    ),
    ...(several
      ? [t('An example can have several labels, so these shares can add up to more than 100%.')]
      : []),
  ];
}

function duplicateLines({ duplicates, train, validation, sets = [] }: PreflightData): string[] {
  const { acrossSplits, withinTrain, conflicts } = duplicates;
  const at = ({ path, parts }: PreflightSplit, row: number) => rowNumber(path, row, parts);
  const pairs = acrossSplits.first.map((p) => `${at(validation, p.validation)} = ${at(train, p.train)}`);
  const places = conflicts.first.map(
    ({ lines: [a, b], labels }) => `${at(train, a)} (${labels[0]}), ${at(train, b)} (${labels[1]})`,
  );
  const conflicting = [count(conflicts.count), t(rowWords(train.path)), places.join('; ')];
  return [
    acrossSplits.count === 0
      ? t('No validation examples occur in the training data.')
      : t(
          '{0} validation examples ({1}) also occur in the training data; {2} of {3} and {4}: {5}.',
          count(acrossSplits.count),
          shareText(acrossSplits.count, validation.examples),
          t(rowWords(validation.path, train.path)),
          fileOf(validation.path),
          fileOf(train.path),
          pairs.join(', '),
        ),
    t('{0} training rows repeat an earlier example.', count(withinTrain)),
    train.numbers
      ? conflicts.count === 0
        ? t('No training example has more than one number.')
        : t('{0} training examples have more than one number; {1} {2}.', ...conflicting)
      : conflicts.count === 0
        ? t('No training example occurs with different labels.')
        : t('{0} training examples occur with different labels; {1} {2}.', ...conflicting),
    ...sets.map(({ name, inTrain, inValidation }) =>
      name === undefined
        ? t(
            'Test examples: {0} also occur in the training data, {1} in the validation data.',
            count(inTrain.count),
            count(inValidation.count),
          )
        : t(
            'Examples of {0}: {1} also occur in the training data, {2} in the validation data.',
            name,
            count(inTrain.count),
            count(inValidation.count),
          ),
    ),
  ];
}

function stepParts(steps: readonly PreflightStep[]): Part[] {
  if (steps.length === 0) return [];
  return [
    { heading: t('Measured steps') },
    {
      columns: [
        t('step'),
        { number: t('time') },
        { number: t('examples') },
        { number: t('tokens') },
        { number: t('loss') },
        { number: t('memory') },
      ],
      rows: steps.map((s) => [
        s.step === 0 ? t('warm-up') : String(s.step),
        stepTime(s.seconds),
        count(s.examples),
        count(s.tokens),
        formatMetric('loss', s.loss),
        bytes(s.memoryBytes),
      ]),
    },
  ];
}
