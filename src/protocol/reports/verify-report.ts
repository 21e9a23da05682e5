import { t } from '../../base/l10n';
import { codeSpan } from '../../base/escape';
import { count, errorText, stepTime } from '../../base/number-text';
import { placeName } from '../device-words';
import type {
  VerifyGradient,
  VerifyKinks,
  VerifyLine,
  VerifyRan,
  VerifyResult,
  VerifyRow,
  VerifySetup,
  VerifyTensor,
  VerifyValues,
} from '../verification';
import type { Part, Report, ReportTable } from './report';

/** The lines of `aurora verify` so far. */
export interface VerifyLines {
  setup?: VerifySetup;
  ran: VerifyRan[];
  kinks?: VerifyKinks;
  result?: VerifyResult;
}

/** Adds a line and returns the progress text for the next step; undefined if there is nothing new. */
export function addVerifyLine(lines: VerifyLines, line: VerifyLine): string | undefined {
  switch (line.kind) {
    case 'setup':
      lines.setup = line;
      return running(line, 0);
    case 'ran':
      lines.ran.push(line);
      if (lines.ran.length === 2 && lines.setup) return running(lines.setup, 1);
      return lines.ran.length === 4 ? t('Comparing…') : undefined;
    case 'kinks':
      lines.kinks = line;
      if (line.texts.length === line.of) return undefined;
      lines.ran = [];
      return t('Running again without the examples affected by rounding…');
    case 'result':
      lines.result = line;
      return undefined;
    default:
      return undefined;
  }
}

const running = ({ examples, places }: VerifySetup, engine: 0 | 1): string =>
  t('Running one step of {0} examples on {1}…', examples, placeName(places[engine]));

/** The result in one sentence. */
export function verifySummary({ agree, rows, first }: VerifyResult): string {
  if (agree) {
    const errors = rows.map((r) => r.error ?? 0);
    return t('The engines agree; the largest difference is {0}.', errorText(Math.max(...errors)));
  }
  if (!first) return t('The engines differ.');
  return first.stage === 'forward'
    ? t('The engines differ, first in {0} ({1}).', first.tensor, first.operator)
    : t('The engines differ in the gradient of {0}.', first.tensor);
}

/** The whole report, its result first. */
export function verifyReport(name: string, { setup, ran, kinks, result }: VerifyLines): Report {
  return {
    title: t('Engine comparison: {0}', name),
    parts: [
      ...(result ? [{ verdict: verifySummary(result) }] : []),
      ...(setup ? [setupText(setup)] : []),
      ...(kinks ? [kinksText(kinks)] : []),
      ...(result ? resultParts(result) : []),
      ...ranParts(ran),
    ],
  };
}

/** The parts of the report that are known once a line has been added; the result comes last. */
export function partsOfVerify(line: VerifyLine, { ran }: VerifyLines): Part[] {
  switch (line.kind) {
    case 'setup':
      return [setupText(line)];
    case 'kinks':
      return [kinksText(line)];
    case 'result':
      return [...resultParts(line), ...ranParts(ran), { verdict: verifySummary(line) }];
    default:
      return [];
  }
}

function setupText({ places, examples, tokens, tensors, dropout }: VerifySetup): string {
  const [a, b] = places.map((p) => placeName(p));
  const sentence =
    // Images have one token each.
    tokens === examples
      ? t(
          '{0} compared with {1}, in float32, on the first training batch: {2} examples, {3} trainable tensors.',
          ...([a, b, examples, tensors] as const),
        )
      : t(
          '{0} compared with {1}, in float32, on the first training batch: {2} examples with {3} tokens in total, {4} trainable tensors.',
          ...([a, b, examples, count(tokens), tensors] as const),
        );
  return dropout ? `${sentence} ${t('Both used the same dropout masks.')}` : sentence;
}

function kinksText({ values, operators, texts, of }: VerifyKinks): string {
  const names = operators.map(codeSpan).join(', ');
  const why =
    values === 1
      ? t(
          'Rounding affects some of the gradients: one value of {0} is on different sides of 0 in the two engines.',
          names,
        )
      : t(
          'Rounding affects some of the gradients: {0} values of {1} are on different sides of 0 in the two engines.',
          count(values),
          names,
        );
  const rest =
    texts.length === of
      ? t('Every example contains one, so this alone may explain the differences below.')
      : texts.length === 1
        ? t('The results below exclude the one affected example of {0}.', of)
        : t('The results below exclude the affected examples, {0} of {1}.', texts.length, of);
  return `${why} ${rest}`;
}

function resultParts({ agree, rows, first }: VerifyResult): Part[] {
  return [
    { heading: t('Differences') },
    rowsTable(rows),
    t(
      'Differences are relative to the largest magnitude of each tensor. Perturbed: with seeded noise in each trainable tensor, because an untrained adapter has B = 0, which makes other gradients 0.',
    ),
    ...(first ? firstParts(first) : agree ? [] : [unseen()]),
  ];
}

/** Tensors are compared without the runtime's graph optimization. */
const unseen = (): string =>
  t(
    'No single tensor differs when ONNX Runtime runs the graph unoptimized, so its graph optimization makes the difference.',
  );

function rowsTable(rows: readonly VerifyRow[]): ReportTable {
  const what = { loss: t('loss'), logits: t('logits'), gradients: t('gradients') };
  return {
    columns: [
      t('values'),
      '',
      { number: t('difference') },
      { number: t('tolerance') },
      '',
      { number: t('zero in both') },
      { code: t('largest in') },
    ],
    rows: rows.map((r) => [
      valuesWord(r.values),
      what[r.what],
      number(r.error),
      errorText(r.tolerance),
      r.agree ? t('agree') : t('differ'),
      r.zero ? t('{0} of {1}', count(r.zero), count(r.of!)) : '',
      r.worst ?? '',
    ]),
  };
}

const valuesWord = (values: VerifyValues): string => (values === 'initial' ? t('initial') : t('perturbed'));

function firstParts(first: VerifyTensor | VerifyGradient): Part[] {
  const isForward = first.stage === 'forward';
  const rows = [
    [t('tensor'), first.tensor],
    [t('shape'), `[${first.dims.join(', ')}]`],
    [t('largest difference at'), `[${first.position.join(', ')}]`],
    [t('both values'), first.both.join(' · ')],
    [t('difference'), number(first.error)],
    ...(isForward
      ? [
          [t('operator'), first.operator],
          [t('node'), first.node],
          ...(first.module === undefined ? [] : [[t('module'), first.module]]),
        ]
      : []),
  ];
  return [
    { heading: t('First difference') },
    ...(isForward
      ? [t('The first differing tensor of the forward pass, in graph order.')]
      : [
          t('The forward pass agrees. These gradients differ; the last one is nearest to the loss:'),
          { list: first.differing.map(codeSpan) },
        ]),
    { columns: ['', { code: '' }], rows },
  ];
}

function ranParts(ran: readonly VerifyRan[]): Part[] {
  if (ran.length === 0) return [];
  return [
    { heading: t('Steps') },
    {
      columns: [t('engine'), t('values'), { number: t('loss') }, { number: t('time') }],
      rows: ran.map((r) => [
        placeName(r.place),
        valuesWord(r.values),
        r.loss.toFixed(6),
        stepTime(r.seconds),
      ]),
    },
  ];
}

/** JSON has no NaN, so null stands for it. */
const number = (error: number | null): string => (error === null ? t('not finite') : errorText(error));
