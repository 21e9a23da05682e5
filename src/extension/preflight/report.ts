import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bytes, count, numberText } from '../../base/number-text';
import { durationText, stepTime } from '../../base/time-text';
import { formatMetric } from '../../experiment/metrics';
import { cautiousPercent, percent, sharePercent } from '../../base/percent';
import { deviceLine, deviceWords, placeWords } from '../../protocol/device-words';
import { leftOutText } from '../../protocol/left-out';
import { readingText } from '../../protocol/preparing';
import { rowNumber, rowWord, rowWords } from '../../protocol/row-place';
import { own } from '../../base/names';
import { t } from '../../base/l10n';
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
} from '../../protocol/preflight';
import { code, escape, table } from '../markdown';
import { programLine } from '../launcher/program-line';
import { isHeadAlone } from '../../experiment/methods';

/** The reports of a preflight so far. */
export interface PreflightReport {
  modules?: PreflightModules;
  data?: PreflightData;
  device?: PreflightDevice;
  steps: PreflightStep[];
  estimate?: PreflightEstimate;
  problems: PreflightProblem[];
}

/** A line of `aurora preflight --json`. */
export const parsePreflightLine = (line: string): PreflightLine | undefined =>
  programLine(line, ['modules', 'reading', 'data', 'measuring', 'device', 'step', 'estimate', 'problem']);

/** Adds a line to the report and returns the progress text for the next step; undefined if there is nothing new. */
export function addLine(report: PreflightReport, line: PreflightLine): string | undefined {
  switch (line.kind) {
    case 'modules':
      report.modules = line;
      if (line.modules.length === 1) return t('1 module gets an adapter; reading the data…');
      return t('{0} modules get an adapter; reading the data…', line.modules.length);
    case 'reading':
      return readingText(line);
    case 'data':
      report.data = line;
      return t('{0} examples read; opening the model…', line.train.examples);
    case 'measuring':
      return t('Looking for the fastest device: {0}…', line.places.map((p) => placeWords(p)).join(', '));
    case 'device':
      report.device = line;
      return t('{0}; warming up with the longest examples…', deviceWords(line));
    case 'step':
      report.steps.push(line);
      if (line.step === 0) return t('Measuring {0} steps…', line.of);
      return t('Step {0} of {1}: {2}', line.step, line.of, stepTime(line.seconds));
    case 'estimate':
      report.estimate = line;
      return undefined;
    case 'problem':
      report.problems.push(line);
      return undefined;
  }
}

/** "0.6 s/step on webgpu · 14 min · 0.9 GB"; undefined before the estimate. */
export function summaryLine({ estimate, device }: PreflightReport): string | undefined {
  if (!estimate) return undefined;
  const { secondsPerStep, minutes, memoryBytes } = estimate;
  const pace = device
    ? t('{0}/step on {1}', stepTime(secondsPerStep), device.device)
    : t('{0}/step', stepTime(secondsPerStep));
  return [pace, roughly(minutes), bytes(memoryBytes)].join(' · ');
}

/** To the minute; to the second below one minute. */
const roughly = (minutes: number): string =>
  durationText(minutes < 1 ? Math.max(1, Math.round(60 * minutes)) : 60 * Math.round(minutes));

const shareText = (part: number, of: number): string => cautiousPercent(of > 0 ? part / of : 0);

const share = (part: number, of: number): string => `${count(part)} (${shareText(part, of)})`;

/** The whole report as Markdown. */
export function reportMarkdown(name: string, report: PreflightReport): string {
  const { modules, data, device, estimate } = report;
  const summary = summaryLine(report);
  return [
    `# ${t('Preflight of {0}', escape(name))}`,
    ...(summary ? [`**${summary}**`, estimateText(estimate!, report.steps)] : []),
    ...(device ? [t('Device: {0}.', escape(deviceLine(device)))] : []),
    ...problemsPart(report.problems),
    ...(modules ? modulesPart(modules) : []),
    ...(data ? dataPart(data) : []),
    ...(report.steps.length > 0 ? stepsPart(report.steps) : []),
  ]
    .join('\n\n')
    .concat('\n');
}

function estimateText(e: PreflightEstimate, steps: readonly PreflightStep[]): string {
  return t(
    'The whole run has {0} steps and {1} evaluations; preparation, evaluations and snapshots take {2}. It trains {3} parameters. Measured in {4} real training steps on this machine; memory is the peak of the process, including the longest examples.',
    count(e.steps),
    count(e.evaluations),
    roughly(e.otherMinutes),
    count(e.trainable),
    steps.filter((s) => s.step > 0).length,
  );
}

function problemsPart(problems: readonly PreflightProblem[]): string[] {
  if (problems.length === 0) return [t('No problems found.')];
  const word = { error: `**${t('Error')}**`, warning: t('Warning'), note: t('Note') };
  const lines = problems.map(({ severity, message, hint, key, places }) => {
    const place = key === undefined ? '' : ` (${code(key)})`;
    const links = linksTo(places ?? []);
    return `- ${word[severity]}${place}: ${escape(message)}${hint === undefined ? '' : ` ${escape(hint)}`}${links}`;
  });
  return [`## ${t('Problems')}`, lines.join('\n')];
}

/** Links to the lines of text files, which editors can open. */
function linksTo(places: NonNullable<PreflightProblem['places']>): string {
  const links = places
    .filter(({ file }) => rowWord(file) === 'line' && !file.endsWith('.gz'))
    .map(({ file, row }) => `[${escape(`${basename(file)}:${row}`)}](<${pathToFileURL(file).href}#L${row}>)`);
  return links.length === 0 ? '' : ` (${links.join(', ')})`;
}

function modulesPart(m: PreflightModules): string[] {
  const counted = isHeadAlone(m)
    ? t('No adapter: only the head is trained.')
    : t(
        '{0} of {1} linear layers get an adapter: {2} trainable parameters, {3} of the model’s {4}.',
        m.modules.length,
        m.linearLayers,
        count(m.adapterParameters),
        sharePercent(m.adapterParameters / m.modelParameters),
        count(m.modelParameters),
      );
  const unmatched = m.unmatched.map(code).join(', ');
  return [
    `## ${t('Modules')}`,
    counted,
    ...(m.unmatched.length > 0 ? [t('These entries matched nothing: {0}.', unmatched)] : []),
    ...(m.leftOut.length > 0 ? [t('Excluded: {0}', escape(leftOutText(m.leftOut)))] : []),
    ...(m.modules.length > 0
      ? [
          table(
            [t('module'), t('out × in'), t('rank'), t('trainable')],
            m.modules.map((x) => [
              code(x.path),
              `${x.outFeatures} × ${x.inFeatures}`,
              x.rank === undefined ? '–' : String(x.rank),
              count(x.parameters),
            ]),
          ),
        ]
      : []),
  ];
}

function dataPart(d: PreflightData): string[] {
  const splits = [d.train, d.validation];
  const { sets = [] } = d;
  const all = [...splits, ...sets];
  const row = (name: string, of: (s: PreflightSplit) => string) => [name, ...all.map(of)];
  const tokens = (s: PreflightSplit) =>
    `${s.tokens.min} / ${s.tokens.median} / ${s.tokens.p90} / ${s.tokens.p99} / ${s.tokens.max}`;
  return [
    `## ${t('Data')}`,
    table(
      ['', t('training'), t('validation'), ...sets.map(({ name }) => (name ? escape(name) : t('test')))],
      [
        row(t('file'), (s) => escape(basename(s.path))),
        row(t('examples'), (s) => count(s.examples)),
        ...(all.every((s) => s.tokens.max === 1)
          ? []
          : [
              row(t('tokens: min / median / 90% / 99% / max'), tokens),
              row(t('truncated to model.maxLength'), (s) => share(s.truncated, s.examples)),
            ]),
        row(t('unusable rows'), (s) => count(s.badRows.count)),
        ...(all.some((s) => s.quotes) ? [row(t('quotes'), (s) => quotesText(s))] : []),
      ],
    ),
    ...(d.packing
      ? [
          t(
            'The training examples are packed into {0} rows, with {1} padding ({2} without packing).',
            count(d.packing.rows),
            percent(d.packing.padding),
            percent(d.packing.paddingApart),
          ),
        ]
      : []),
    ...answersPart(d, splits),
    `### ${t('Duplicates')}`,
    duplicateLines(d)
      .map((line) => `- ${line}`)
      .join('\n'),
  ];
}

const quotesText = ({ quotes }: PreflightSplit): string =>
  quotes === undefined
    ? '–'
    : quotes === 'csv'
      ? t('read as in CSV')
      : t('read as text (the file is not quoted)');

function answersPart(d: PreflightData, splits: readonly PreflightSplit[]): string[] {
  if (d.train.numbers) return numbersPart(splits);
  if (d.train.pictures) return picturesPart(d, splits);
  return d.train.targets === undefined ? labelsPart(d) : targetsPart(splits);
}

function numbersPart([train, validation]: readonly PreflightSplit[]): string[] {
  const row = (name: string, of: (n: NumberFacts) => number) => [
    name,
    ...[train, validation].map(({ numbers }) => (numbers ? numberText(of(numbers)) : '–')),
  ];
  return [
    `### ${t('Numbers')}`,
    table(
      ['', t('training'), t('validation')],
      [
        row(t('smallest'), (n) => n.min),
        row(t('median'), (n) => n.median),
        row(t('largest'), (n) => n.max),
        row(t('mean'), (n) => n.mean),
        row(t('standard deviation'), (n) => n.deviation),
      ],
    ),
  ];
}

function targetsPart([train, validation]: readonly PreflightSplit[]): string[] {
  const cells = [train, validation].map(({ targets = 0 }) => count(targets));
  return [
    `### ${t('Tokens to predict')}`,
    table(['', t('training'), t('validation')], [[t('tokens'), ...cells]]),
  ];
}

function picturesPart(d: PreflightData, splits: readonly PreflightSplit[]): string[] {
  const row = (name: string, of: (p: NonNullable<PreflightSplit['pictures']>) => number) => [
    name,
    ...splits.map(({ pictures }) => (pictures ? count(of(pictures)) : '–')),
  ];
  return [
    `### ${t('Images')}`,
    table(
      ['', t('training'), t('validation')],
      [
        row(t('images'), (p) => p.images),
        row(t('class images'), (p) => p.classImages),
        row(t('timesteps of each'), (p) => p.timesteps),
      ],
    ),
    ...(d.measuresTraining
      ? [t('The training images are also measured, with noise and timesteps that stay the same.')]
      : []),
  ];
}

function labelsPart({ labels, train, validation }: PreflightData): string[] {
  const counted = (name: string, of: (s: PreflightSplit) => number) => [
    name,
    ...[train, validation].map((s) => share(of(s), labeled(s))),
  ];
  const several = train.unlabeled !== undefined;
  return [
    `### ${t('Labels')}`,
    ...(several
      ? [t('An example can have several labels, so these shares can add up to more than 100%.')]
      : []),
    table(
      [t('label'), t('training'), t('validation')],
      [
        ...labels.map((label) => counted(escape(label), (s) => own(s.labels, label) ?? 0)),
        ...(several ? [counted(`*${t('none')}*`, (s) => s.unlabeled ?? 0)] : []),
      ],
    ),
  ];
}

/** The number of a row, with its file where there are several. */
const at = ({ path, parts }: PreflightSplit, row: number): string => escape(rowNumber(path, row, parts));

function duplicateLines({ duplicates, train, validation, sets = [] }: PreflightData): string[] {
  const { acrossSplits, withinTrain, conflicts } = duplicates;
  const pairs = acrossSplits.first
    .map((p) => `${at(validation, p.validation)} = ${at(train, p.train)}`)
    .join(', ');
  const places = conflicts.first.map(
    ({ lines: [a, b], labels }) =>
      `${at(train, a)} (${escape(labels[0])}), ${at(train, b)} (${escape(labels[1])})`,
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
          escape(basename(validation.path)),
          escape(basename(train.path)),
          pairs,
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
            escape(name),
            count(inTrain.count),
            count(inValidation.count),
          ),
    ),
  ];
}

function stepsPart(steps: readonly PreflightStep[]): string[] {
  const name = (s: PreflightStep) => (s.step === 0 ? t('warm-up') : String(s.step));
  return [
    `## ${t('Measured steps')}`,
    table(
      [t('step'), t('time'), t('examples'), t('tokens'), t('loss'), t('memory')],
      steps.map((s) => [
        name(s),
        stepTime(s.seconds),
        count(s.examples),
        count(s.tokens),
        formatMetric('loss', s.loss),
        bytes(s.memoryBytes),
      ]),
    ),
  ];
}
