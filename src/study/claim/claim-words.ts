import { t } from '../../base/l10n';
import { count, durationText, numberText } from '../../base/number-text';
import type { Claim, ClaimSide } from '../../experiment/claim';
import type { Experiment } from '../../experiment/experiment';
import { metricInfo, type MetricName } from '../../experiment/metrics';
import { type Settings, settingText, shortKeys } from '../../experiment/sweep';
import { labelsOf, settingsOf } from '../labels';
import { factorOf } from '../metric';
import type { Certificate, Look } from './certificate';
import type { AnnouncedCost } from './claim-files';

/** The methods of a claim by name: "AuroRA r=2", "LoRA r=8". */
export const methodLabels = (specs: readonly Experiment[]): string[] =>
  labelsOf(specs.map((spec) => ({ settings: settingsOf(spec), adapter: spec.adapter }))).map(
    ({ withoutRate }) => withoutRate.label,
  );

/** A side by name: its method, and its form if that is not what was trained. */
const sideLabel = ({ method, form }: ClaimSide, labels: readonly string[]): string =>
  form === 'fitted' ? t('the linear fit of {0}', labels[method]!) : labels[method]!;

export const sideLabels = ({ sides }: Pick<Claim, 'sides'>, labels: readonly string[]): string[] =>
  sides.map((side) => sideLabel(side, labels));

/** The claim as a sentence, by itself: "AuroRA r=2 is better than LoRA r=8 in accuracy on the test data." */
export function claimSentence(claim: Claim, specs: readonly Experiment[]): string {
  const { relation, of, metric, by, on } = claim;
  const [first, ...than] = sideLabels(claim, methodLabels(specs));
  const others =
    than.length === 1
      ? than[0]
      : of === 'each'
        ? t('each of {0}', listWords(than))
        : t('at least one of {0}', listWords(than));
  const where = examplesWords(on);
  const name = metricInfo(metric).label;
  return relation === 'better'
    ? t('{0} is better than {1} in {2} on {3}.', first!, others, name, where)
    : t('{0} is not worse than {1} by {2} or more on {3}.', first!, others, amount(metric, by), where);
}

/** "A, B and C" */
const listWords = (names: readonly string[]): string =>
  t('{0} and {1}', names.slice(0, -1).join(', '), names.at(-1)!);

export const examplesWords = (on: Claim['on']): string =>
  ({ validation: t('the validation data'), test: t('the test data'), evaluations: t('the evaluation sets') })[
    on
  ];

/** "1 point of accuracy", "0.02 of loss". */
export function amount(metric: MetricName, value: number): string {
  const shown = numberText(Number((value * factorOf(metric)).toPrecision(3)));
  const { label } = metricInfo(metric);
  if (factorOf(metric) === 1) return t('{0} of {1}', shown, label);
  return shown === '1' ? t('1 point of {0}', label) : t('{0} points of {1}', shown, label);
}

/** The verdict in one sentence. */
export function verdictWords({ frozen: { claim }, verdict, generalizes, leftOut }: Certificate): string {
  const { relation, metric, by } = claim;
  const size = amount(metric, by);
  const words = {
    supported: t('The claim holds.'),
    refuted:
      relation === 'better'
        ? t('The claim does not hold: it is not better by {0}.', size)
        : t('The claim does not hold: it is worse.'),
    small:
      relation === 'better'
        ? t('The claim holds, but the difference is below {0}.', size)
        : t('The claim holds: it is worse, but by less than {0}.', size),
    open: leftOut.some(({ phase }) => phase === 'test')
      ? t('Undecided: training diverged with one of the seeds.')
      : t('Undecided.'),
  }[verdict];
  return generalizes || verdict === 'open'
    ? words
    : t('{0} This is for these examples only: other examples may give another result.', words);
}

/** The announced cost of a claim: of a run of each method, and of everything; without times if none were measured. */
export function costWords({ runs, least, most }: AnnouncedCost): string[] {
  const all = rangeText(count(least.runs), count(most.runs));
  if (least.seconds === undefined || most.seconds === undefined) return [t('The claim takes {0} runs.', all)];
  const each = runs.map(({ label, seconds }) => `${label} ${durationText(seconds)}`).join(', ');
  const time = rangeText(durationText(least.seconds), durationText(most.seconds));
  return [t('A run takes: {0}.', each), t('The claim takes {0} runs, {1} one after another.', all, time)];
}

const rangeText = (least: string, most: string): string =>
  least === most ? least : t('{0} to {1}', least, most);

/** The step after a claim that is undecided; undefined for any other. */
export function neededWords({ verdict, needed }: Certificate): string | undefined {
  if (verdict !== 'open') return undefined;
  const again = t('Test it as another claim, with another number as `claim.seed`.');
  if (needed?.seeds === undefined) return again;
  const { seeds, examples } = needed;
  return examples === undefined
    ? t('On these examples, {0} seeds would decide it, whatever the difference.', count(seeds))
    : t(
        'About {0} examples with {1} seeds would decide it, whatever the difference.',
        count(examples),
        count(seeds),
      );
}

/** A difference with its interval: "+0.8 points (0.1 to 1.5)". */
export function intervalText(
  metric: MetricName,
  { difference, lower, upper }: Look['results'][number],
): string[] {
  const factor = factorOf(metric);
  const text = (value: number) => {
    const shown = (value * factor).toFixed(factor === 100 ? 2 : 4);
    return Number(shown) > 0 ? `+${shown}` : shown.replace('-', '−');
  };
  return [text(difference), text(lower), text(upper)];
}

/** Chosen values as text: "learningRate 0.01". */
export function valuesText(values: Settings): string {
  const names = shortKeys(Object.keys(values));
  return Object.entries(values)
    .map(([key, value]) => `${names.get(key)} ${settingText(key, value)}`)
    .join(', ');
}
