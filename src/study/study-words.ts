import { gathered } from '../base/gathered';
import { t } from '../base/l10n';
import { count } from '../base/number-text';
import { metricInfo, type MetricName } from '../experiment/metrics';
import type { Comparison } from './compare-groups';
import { shownDifference, signedDifference } from './metric';
import { MOST_SHOWN } from './shown';
import type { Section, Study } from './study';
import type { ChosenBy } from './study-run';
import { inputNotes } from './trained-on';

/** A p-value, never rounded to zero. */
const chanceText = (p: number): string => (p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(p < 0.095 ? 3 : 2)}`);

const LEVEL = 0.05;

/** The parts that all differences of a study have in common. */
type Compared = Pick<Study, 'metric' | 'tests'>;

/** The observed difference, and the detectable one, as sentences. */
export function comparisonWords(c: Comparison, study: Compared): string {
  return [difference(c, study.metric), tested(c, study), ...limit(c, study.metric)].join(' ');
}

function difference(c: Comparison, metric: MetricName): string {
  const signed = (value: number) => signedDifference(metric, value, c.from);
  const size = amount(Math.abs(c.mean), c.from, metric);
  const isNone = !/[1-9]/.test(signed(c.mean));
  const interval =
    c.half === undefined
      ? ''
      : ` ${t('(95% interval {0} to {1})', signed(c.mean - c.half), signed(c.mean + c.half))}`;
  if (isNone) return `${t('{0} and {1} are equal to the displayed precision', c.a, c.b)}${interval}.`;
  const { difference: kind, label } = metricInfo(metric);
  if (kind === 'relative')
    return c.mean > 0
      ? `${t('The {3} of {0} is {1} higher than that of {2}', c.a, size, c.b, t(label))}${interval}.`
      : `${t('The {3} of {0} is {1} lower than that of {2}', c.a, size, c.b, t(label))}${interval}.`;
  return c.mean > 0
    ? `${t('{0} is {1} above {2}', c.a, size, c.b)}${interval}.`
    : `${t('{0} is {1} below {2}', c.a, size, c.b)}${interval}.`;
}

function tested(c: Comparison, { tests }: Compared): string {
  if (c.kind === 'none')
    return c.seeds.length === 0
      ? t('They have no seed in common, so nothing was tested.')
      : t('With one seed and no per-example predictions, no test is possible.');
  if (c.chance === undefined)
    return t('The difference is the same in every pair, so a paired test is not possible.');
  const p = chanceText(c.chance);
  const corrected =
    c.corrected !== undefined && tests > 1
      ? t('{0}, {1} corrected for {2} comparisons', p, chanceText(c.corrected).replace('p = ', ''), tests)
      : p;
  const how = testWords(c);
  if ((c.corrected ?? c.chance) < LEVEL)
    return c.kind === 'seeds'
      ? t('{0}: {1}, so the choice of seeds alone is unlikely to explain it.', how, corrected)
      : t('{0}: {1}, so it is unlikely to be chance.', how, corrected);
  return t('{0}: {1}, so it may be chance.', how, corrected);
}

function testWords({ kind, seeds, on, examples = 0 }: Comparison): string {
  const list = seedList(seeds);
  if (on === 'evaluations') return t('Paired test over {0} only, on the same evaluation sets', list);
  if (on === 'test') {
    if (kind === 'crossed') return t('Paired test over {0} and {1} test examples', list, count(examples));
    if (kind === 'seeds') return t('Paired test over {0} only, on the same test examples', list);
    return t('Paired test over {0} test examples, with {1} only', count(examples), list);
  }
  if (kind === 'crossed') return t('Paired test over {0} and {1} validation examples', list, count(examples));
  if (kind === 'seeds') return t('Paired test over {0} only, on the same validation examples', list);
  return t('Paired test over {0} validation examples, with {1} only', count(examples), list);
}

const seedList = (seeds: readonly number[]): string =>
  seeds.length === 1 ? t('seed {0}', seeds[0]) : t('{0} seeds ({1})', seeds.length, seeds.join(', '));

function limit({ kind, detectable, seeds, from }: Comparison, metric: MetricName): string[] {
  if (detectable === undefined) return [];
  const size = amount(detectable, from, metric);
  if (kind === 'examples')
    return [t('Only a difference of {0} or more is detected reliably (80% power at 5%, two-sided).', size)];
  return kind === 'crossed'
    ? [
        t(
          'With these {0} seeds, only a difference of {1} or more is detected reliably (80% power at 5%, two-sided).',
          seeds.length,
          size,
        ),
      ]
    : [
        t(
          'With these {0} seeds, only a difference of {1} or more on these same examples is detected reliably (80% power at 5%, two-sided); on other examples it would have to be larger.',
          seeds.length,
          size,
        ),
      ];
}

/** "0.6 points of accuracy", "1.9%" */
function amount(value: number, from: number, metric: MetricName): string {
  const text = shownDifference(metric, value, from);
  const { label, percent, difference: kind } = metricInfo(metric);
  if (kind === 'relative') return text;
  return percent ? t('{0} points of {1}', text, t(label)) : t('{0} points of {1} × 100', text, t(label));
}

/** Notes on how to read the numbers of a data set. */
export function sectionNotes(section: Section, { metric, tests }: Compared): string[] {
  const notes = [...hiddenNotes(section, metric), ...stepNotes(section)];
  for (const { label, diverged, runs } of section.groups)
    if (diverged.length > 0)
      notes.push(
        t(
          'Of the {0} runs of {1}, {2} diverged (seeds {3}). Its numbers cover only the others, so they are slightly optimistic.',
          runs.length + diverged.length,
          label,
          diverged.length,
          diverged.join(', '),
        ),
      );
  if (section.groups.some((g) => g.runs.length > 1))
    notes.push(
      t(
        '± is the standard deviation over seeds. Error bars are 95% intervals of the mean over seeds (Student’s t); for time and memory, they are standard deviations.',
      ),
    );
  if (section.samplingError !== undefined) {
    const numbers = [count(section.examples), (100 * section.samplingError).toFixed(1)];
    notes.push(
      section.on === 'test'
        ? t(
            'The test set has {0} examples. This number alone gives an accuracy a standard error of about {1} points, the same for all groups.',
            ...numbers,
          )
        : t(
            'The validation set has {0} examples. This number alone gives an accuracy a standard error of about {1} points, the same for all groups.',
            ...numbers,
          ),
    );
  }
  if (section.comparisons.some((c) => c.kind === 'crossed'))
    notes.push(
      t(
        'A test over seeds and examples treats both as samples (crossed random factors, Clark 1973; critical values by Banerjee 1960), so it generalizes to other seeds and to other texts of the same kind.',
      ),
    );
  if (section.comparisons.some((c) => c.kind === 'seeds'))
    notes.push(
      metricInfo(metric).meanOf === undefined
        ? t(
            'A test over seeds only (paired t test) generalizes to other seeds on these same texts, but not to other texts. This metric cannot be split into examples; the loss can, as can an accuracy.',
          )
        : t(
            'A test over seeds only (paired t test) generalizes to other seeds on these same texts, but not to other texts, which vary more. To include them, measure the missing per-example predictions.',
          ),
    );
  if (section.comparisons.some((c) => c.kind === 'examples'))
    notes.push(
      t(
        'A test over the examples of one seed (McNemar’s exact test for accuracy) generalizes to other texts with these same two trained models, but not to other seeds.',
      ),
    );
  if (tests > 1)
    notes.push(
      t(
        'The p-values are corrected by Holm’s method for all {0} comparisons with a reference in this study; the intervals are not.',
        tests,
      ),
    );
  const places = [...new Set(section.groups.flatMap((g) => g.runs.flatMap((r) => r.place ?? [])))];
  if (places.length > 1)
    notes.push(
      t(
        'Times and memory were measured on different devices and cannot be compared: {0}.',
        places.join('; '),
      ),
    );
  const runs = section.groups.flatMap((g) => g.runs);
  return [...notes, ...inputNotes(runs), ...rateNotes(section)];
}

/** A note that there are more groups than are shown. */
const hiddenNotes = ({ groups, hidden }: Section, metric: MetricName): string[] =>
  hidden === undefined
    ? []
    : [
        t(
          'Of {0} groups, the {1} best by {2} are shown, and the one that they are compared with. The report’s groups.csv has all of them.',
          count(groups.filter((g) => g.chosen).length + hidden),
          MOST_SHOWN,
          t(metricInfo(metric).label),
        ),
      ];

/** A note that nothing was chosen on the set that the numbers are from. */
function scoreNotes({ on, groups }: Section): string[] {
  const hasMerged = groups.some((g) => g.chosen && g.runs.some((r) => r.forms && !r.forms.same));
  return [
    on === 'test'
      ? t(
          'All numbers are from the test set, on which nothing was chosen: at its end, each run was scored there once, with the adapter of its best evaluation on the validation set.',
        )
      : t(
          'All numbers are unweighted means over the evaluation sets (data.evaluations), on which nothing was chosen: at its end, each run was scored there once, with the adapter of its best evaluation on the validation set.',
        ),
    ...(hasMerged ? [t('Merged forms are compared on the validation set, at the last step.')] : []),
  ];
}

/** The step of the numbers, and the choices made on the set that they are evaluated on, except learning rates. */
function stepNotes(section: Section): string[] {
  const { groups, on, unused } = section;
  if (on !== 'validation') return scoreNotes(section);
  const labels = (by: ChosenBy) =>
    groups
      .filter((g) => g.runs.some((r) => r.chosenBy.includes(by)))
      .map((g) => g.label)
      .join(', ');
  const [stopped, halved] = [labels('early-stopping'), labels('halving')];
  return [
    stopped === ''
      ? t(
          'All numbers are from the last step, not from the best evaluation, so that no step is chosen on the set that it is evaluated on.',
        )
      : t(
          'All numbers are from the last step, not from the best evaluation. With early stopping, that step was chosen on this same validation set, so these numbers are slightly optimistic: {0}.',
          stopped,
        ),
    ...(halved === ''
      ? []
      : [
          t(
            'Successive halving used this same validation set to choose the runs to train to the end, so these numbers are slightly optimistic: {0}.',
            halved,
          ),
        ]),
    ...(unused
      ? [
          t(
            'Only some of these runs have been scored on the same test or evaluation sets, so all are compared on the validation set.',
          ),
        ]
      : []),
  ];
}

function rateNotes({ on, searches, groups }: Section): string[] {
  if (searches.length === 0) return [];
  const chosen = groups.filter((g) => g.chosen);
  const numbers = chosen.map((g) => searches.find((s) => s.label === g.label)?.tried.length ?? 1);
  const tried = chosen.map((g, i) => t('{1} for {0}', g.label, numbers[i])).join(', ');
  const notes = [
    on === 'validation'
      ? t(
          'Of the learning rates tried ({0}), the one with the best mean over their common seeds was chosen, by the same rule for all methods. It was chosen on this same validation set, so these numbers are slightly optimistic.',
          tried,
        )
      : t(
          'Of the learning rates tried ({0}), the one with the best mean over their common seeds was chosen, by the same rule for all methods: on the validation set, at the last step.',
          tried,
        ),
  ];
  if (new Set(numbers).size > 1)
    notes.push(t('Groups with more learning rates to choose from have an advantage over the others.'));
  return notes;
}

const WHY = {
  unfinished: 'not finished',
  failed: 'training failed',
  diverged: 'training diverged',
  damaged: 'cannot be read',
  fork: 'a fork: its first steps had other settings',
  import: 'an imported or combined adapter: not trained with its settings',
  repeated: 'same settings and seed as a newer run',
} as const;

/** The excluded runs, and the reasons; for many with one reason only their number. */
export const leftOutWords = ({ leftOut }: Pick<Study, 'leftOut'>): string[] =>
  [...gathered(leftOut, (run) => run.why)].flatMap(([why, runs]) =>
    runs.length > MOST_NAMED
      ? [t('{0} runs are excluded: {1}.', count(runs.length), t(WHY[why]))]
      : runs.map(({ name }) => t('{0} is excluded: {1}.', name, t(WHY[why]))),
  );

/** A sweep with successive halving leaves most of its trials unfinished. */
const MOST_NAMED = 20;

/** "2,256 validation examples" */
export function examplesText({ on, examples }: Pick<Section, 'on' | 'examples'>): string {
  switch (on) {
    case 'test':
      return t('{0} test examples', count(examples));
    case 'evaluations':
      return t('mean over the evaluation sets');
    case 'validation':
      return t('{0} validation examples', count(examples));
  }
}
