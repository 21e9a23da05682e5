import { errorText } from '../../base/number-text';
import { stepTime } from '../../base/time-text';
import { t } from '../../base/l10n';
import { placeWords } from '../../protocol/device-words';
import type { PreflightProblem } from '../../protocol/preflight';
import type {
  VerifyGradient,
  VerifyKinks,
  VerifyLine,
  VerifyRan,
  VerifyResult,
  VerifyRow,
  VerifySetup,
  VerifyTensor,
} from '../../protocol/verification';
import { code, escape, table } from '../markdown';
import { programLine } from '../launcher/program-line';

/** The reports of `aurora verify` so far. */
export interface VerifyReport {
  setup?: VerifySetup;
  ran: VerifyRan[];
  kinks?: VerifyKinks;
  result?: VerifyResult;
  problem?: PreflightProblem;
}

/** A line of `aurora verify --json`. */
export const parseVerifyLine = (line: string): VerifyLine | undefined =>
  programLine(line, ['setup', 'ran', 'kinks', 'result', 'problem']);

/** Adds a line to the report and returns the progress text for the next step; undefined if there is nothing new. */
export function addVerifyLine(report: VerifyReport, line: VerifyLine): string | undefined {
  switch (line.kind) {
    case 'setup':
      report.setup = line;
      return t('Running one step of {0} examples on {1}…', line.examples, placeWords(line.places[0]));
    case 'ran':
      report.ran.push(line);
      if (report.ran.length === 2 && report.setup)
        return t(
          'Running one step of {0} examples on {1}…',
          report.setup.examples,
          placeWords(report.setup.places[1]),
        );
      return report.ran.length === 4 ? t('Comparing…') : undefined;
    case 'kinks':
      report.kinks = line;
      if (line.texts.length === line.of) return undefined;
      report.ran = [];
      return t('Running again without the examples affected by rounding…');
    case 'result':
      report.result = line;
      return undefined;
    case 'problem':
      report.problem = line;
      return undefined;
  }
}

/** A sentence for the notification. */
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

/** The whole report as Markdown. */
export function verifyMarkdown(name: string, { setup, ran, kinks, result }: VerifyReport): string {
  return [
    `# ${t('Engine comparison: {0}', escape(name))}`,
    ...(result ? [`**${escape(verifySummary(result))}**`] : []),
    ...(setup ? [setupText(setup)] : []),
    ...(kinks ? [kinksText(kinks)] : []),
    ...(result ? [rowsTable(result.rows), explanation()] : []),
    ...(result?.first ? firstPart(result.first) : []),
    ...(ran.length > 0 ? [`## ${t('Steps')}`, ranTable(ran)] : []),
  ]
    .join('\n\n')
    .concat('\n');
}

function setupText({ places, examples, tokens, tensors, dropout }: VerifySetup): string {
  const [a, b] = places.map((p) => placeWords(p));
  const sentence =
    // Images have one token each.
    tokens === examples
      ? t(
          '{0} compared with {1}, in float32, on the first training batch: {2} examples, {3} trainable tensors.',
          ...([a, b, examples, tensors] as const),
        )
      : t(
          '{0} compared with {1}, in float32, on the first training batch: {2} examples of {3} tokens, {4} trainable tensors.',
          ...([a, b, examples, tokens, tensors] as const),
        );
  return dropout ? `${sentence} ${t('Both used the same dropout masks.')}` : sentence;
}

function kinksText({ values, operators, texts, of }: VerifyKinks): string {
  const names = operators.map(code).join(', ');
  const why =
    values === 1
      ? t(
          'Rounding affects some of the gradients: one value of {0} is on different sides of 0 in the two engines.',
          names,
        )
      : t(
          'Rounding affects some of the gradients: {0} values of {1} are on different sides of 0 in the two engines.',
          values,
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

function rowsTable(rows: readonly VerifyRow[]): string {
  const words = {
    initial: t('initial'),
    perturbed: t('perturbed'),
    loss: t('loss'),
    logits: t('logits'),
    gradients: t('gradients'),
  };
  return table(
    [t('values'), '', t('difference'), t('tolerance'), '', t('largest in')],
    rows.map((r) => [
      words[r.values],
      words[r.what],
      number(r.error),
      errorText(r.tolerance),
      r.agree ? t('agree') : `**${t('differ')}**`,
      r.worst === undefined ? '' : code(r.worst),
    ]),
    [2, 3],
  );
}

const explanation = (): string =>
  t(
    'Differences are relative to the largest magnitude of each tensor. Perturbed: with seeded noise in each trainable tensor, because an untrained adapter has B = 0, which makes other gradients 0.',
  );

function firstPart(first: VerifyTensor | VerifyGradient): string[] {
  const row = (word: string, value: string): string[] => [word, value];
  const shared = [
    row(t('tensor'), code(first.tensor)),
    row(t('shape'), `\\[${first.dims.join(', ')}\\]`),
    row(t('largest difference at'), `\\[${first.position.join(', ')}\\]`),
    row(t('both values'), first.both.map(escape).join(' · ')),
    row(t('difference'), number(first.error)),
  ];
  if (first.stage === 'forward')
    return [
      `## ${t('First difference')}`,
      t('The first differing tensor of the forward pass, in graph order.'),
      table(
        ['', ''],
        [
          ...shared,
          row(t('operator'), code(first.operator)),
          row(t('node'), code(first.node)),
          ...(first.module === undefined ? [] : [row(t('module'), code(first.module))]),
        ],
        false,
      ),
    ];
  return [
    `## ${t('First difference')}`,
    t('The forward pass agrees. These gradients differ; the last one is nearest to the loss:'),
    first.differing.map((name) => `- ${code(name)}`).join('\n'),
    table(['', ''], shared, false),
  ];
}

const ranTable = (ran: readonly VerifyRan[]): string =>
  table(
    [t('engine'), t('values'), t('loss'), t('time')],
    ran.map((r) => [
      placeWords(r.place),
      r.values === 'initial' ? t('initial') : t('perturbed'),
      r.loss.toFixed(6),
      stepTime(r.seconds),
    ]),
    [2, 3],
  );

/** JSON has no NaN. */
const number = (error: number | null): string => (error === null ? t('not finite') : errorText(error));
