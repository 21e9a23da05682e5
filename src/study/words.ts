import { gathered } from '../base/gathered';
import { metricInfo, type MetricName } from '../experiment/metrics';
import type { Comparison } from './compare';
import { shownDifference, signedDifference } from './metric';
import type { ChosenBy } from './run';
import type { Say } from './say';
import type { Section, Study } from './study';
import { MOST_SHOWN } from './shown';
import { inputNotes } from './trained-on';
import { count } from '../base/number-text';

/** A p-value, never rounded to zero. */
export const chanceText = (p: number): string =>
  p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(p < 0.095 ? 3 : 2)}`;

const LEVEL = 0.05;

/** The parts that all differences of a study have in common. */
type Compared = Pick<Study, 'metric' | 'tests'>;

/** The observed difference, and the detectable one, as sentences. */
export function comparisonWords(c: Comparison, study: Compared, say: Say): string {
  return [difference(c, study.metric, say), tested(c, study, say), ...limit(c, study.metric, say)].join(' ');
}

function difference(c: Comparison, metric: MetricName, say: Say): string {
  const signed = (value: number) => signedDifference(metric, value, c.from);
  const size = amount(Math.abs(c.mean), c.from, metric, say);
  const isNone = !/[1-9]/.test(signed(c.mean));
  const interval =
    c.half === undefined
      ? ''
      : ` ${say('(95% interval {0} to {1})', signed(c.mean - c.half), signed(c.mean + c.half))}`;
  if (isNone) return `${say('{0} and {1} are equal to the displayed precision', c.a, c.b)}${interval}.`;
  const { difference: kind, label } = metricInfo(metric);
  if (kind === 'relative')
    return c.mean > 0
      ? `${say('The {3} of {0} is {1} higher than that of {2}', c.a, size, c.b, say(label))}${interval}.`
      : `${say('The {3} of {0} is {1} lower than that of {2}', c.a, size, c.b, say(label))}${interval}.`;
  return c.mean > 0
    ? `${say('{0} is {1} above {2}', c.a, size, c.b)}${interval}.`
    : `${say('{0} is {1} below {2}', c.a, size, c.b)}${interval}.`;
}

function tested(c: Comparison, { tests }: Compared, say: Say): string {
  if (c.kind === 'none')
    return c.seeds.length === 0
      ? say('They have no seed in common, so nothing was tested.')
      : say('With one seed and no per-example predictions, no test is possible.');
  if (c.chance === undefined)
    return say('The difference is the same in every pair, so a paired test is not possible.');
  const p = chanceText(c.chance);
  const corrected =
    c.corrected !== undefined && tests > 1
      ? say('{0}, {1} corrected for {2} comparisons', p, chanceText(c.corrected).replace('p = ', ''), tests)
      : p;
  const how = testWords(c, say);
  if ((c.corrected ?? c.chance) < LEVEL)
    return c.kind === 'seeds'
      ? say('{0}: {1}, so the choice of seeds alone is unlikely to explain it.', how, corrected)
      : say('{0}: {1}, so it is unlikely to be chance.', how, corrected);
  return say('{0}: {1}, so it may be chance.', how, corrected);
}

function testWords({ kind, seeds, on, examples = 0 }: Comparison, say: Say): string {
  const list = seedList(seeds, say);
  if (on === 'evaluations') return say('Paired test over {0} only, on the same evaluation sets', list);
  if (on === 'test') {
    if (kind === 'crossed') return say('Paired test over {0} and {1} test examples', list, count(examples));
    if (kind === 'seeds') return say('Paired test over {0} only, on the same test examples', list);
    return say('Paired test over {0} test examples, with {1} only', count(examples), list);
  }
  if (kind === 'crossed')
    return say('Paired test over {0} and {1} validation examples', list, count(examples));
  if (kind === 'seeds') return say('Paired test over {0} only, on the same validation examples', list);
  return say('Paired test over {0} validation examples, with {1} only', count(examples), list);
}

const seedList = (seeds: readonly number[], say: Say): string =>
  seeds.length === 1 ? say('seed {0}', seeds[0]) : say('{0} seeds ({1})', seeds.length, seeds.join(', '));

function limit({ kind, detectable, seeds, from }: Comparison, metric: MetricName, say: Say): string[] {
  if (detectable === undefined) return [];
  const size = amount(detectable, from, metric, say);
  if (kind === 'examples')
    return [say('Only a difference of {0} or more is detected reliably (80% power at 5%, two-sided).', size)];
  return kind === 'crossed'
    ? [
        say(
          'With these {0} seeds, only a difference of {1} or more is detected reliably (80% power at 5%, two-sided).',
          seeds.length,
          size,
        ),
      ]
    : [
        say(
          'With these {0} seeds, only a difference of {1} or more on these same examples is detected reliably (80% power at 5%, two-sided); on other examples it would have to be larger.',
          seeds.length,
          size,
        ),
      ];
}

/** "0.6 points of accuracy", "1.9%" */
function amount(value: number, from: number, metric: MetricName, say: Say): string {
  const text = shownDifference(metric, value, from);
  const { label, percent, difference: kind } = metricInfo(metric);
  if (kind === 'relative') return text;
  return percent
    ? say('{0} points of {1}', text, say(label))
    : say('{0} points of {1} × 100', text, say(label));
}

/** Notes on how to read the numbers of a data set. */
export function sectionNotes(section: Section, { metric, tests }: Compared, say: Say): string[] {
  const notes = [...hiddenNotes(section, metric, say), ...stepNotes(section, say)];
  for (const { label, diverged, runs } of section.groups)
    if (diverged.length > 0)
      notes.push(
        say(
          'Of the {0} runs of {1}, {2} diverged (seeds {3}). Its numbers cover only the others, so they are slightly optimistic.',
          runs.length + diverged.length,
          label,
          diverged.length,
          diverged.join(', '),
        ),
      );
  if (section.groups.some((g) => g.runs.length > 1))
    notes.push(
      say(
        '± is the standard deviation over seeds. Error bars are 95% intervals of the mean over seeds (Student’s t); for time and memory, they are standard deviations.',
      ),
    );
  if (section.samplingError !== undefined) {
    const numbers = [count(section.examples), (100 * section.samplingError).toFixed(1)];
    notes.push(
      section.on === 'test'
        ? say(
            'The test set has {0} examples. This number alone gives an accuracy a standard error of about {1} points, the same for all groups.',
            ...numbers,
          )
        : say(
            'The validation set has {0} examples. This number alone gives an accuracy a standard error of about {1} points, the same for all groups.',
            ...numbers,
          ),
    );
  }
  if (section.comparisons.some((c) => c.kind === 'crossed'))
    notes.push(
      say(
        'A test over seeds and examples treats both as samples (crossed random factors, Clark 1973; critical values by Banerjee 1960), so it generalizes to other seeds and to other texts of the same kind.',
      ),
    );
  if (section.comparisons.some((c) => c.kind === 'seeds'))
    notes.push(
      metricInfo(metric).meanOf === undefined
        ? say(
            'A test over seeds only (paired t test) generalizes to other seeds on these same texts, but not to other texts. This metric cannot be split into examples; the loss can, as can an accuracy.',
          )
        : say(
            'A test over seeds only (paired t test) generalizes to other seeds on these same texts, but not to other texts, which vary more. To include them, measure the missing per-example predictions.',
          ),
    );
  if (section.comparisons.some((c) => c.kind === 'examples'))
    notes.push(
      say(
        'A test over the examples of one seed (McNemar’s exact test for accuracy) generalizes to other texts with these same two trained models, but not to other seeds.',
      ),
    );
  if (tests > 1)
    notes.push(
      say(
        'The p-values are corrected by Holm’s method for all {0} comparisons with a reference in this study; the intervals are not.',
        tests,
      ),
    );
  const places = [...new Set(section.groups.flatMap((g) => g.runs.flatMap((r) => r.place ?? [])))];
  if (places.length > 1)
    notes.push(
      say(
        'Times and memory were measured on different devices and cannot be compared: {0}.',
        places.join('; '),
      ),
    );
  const runs = section.groups.flatMap((g) => g.runs);
  return [...notes, ...inputNotes(runs, say), ...rateNotes(section, say)];
}

/** A note that there are more groups than are shown. */
const hiddenNotes = ({ groups, hidden }: Section, metric: MetricName, say: Say): string[] =>
  hidden === undefined
    ? []
    : [
        say(
          'Of {0} groups, the {1} best by {2} are shown, and the one that they are compared with. The report’s groups.csv has all of them.',
          count(groups.filter((g) => g.chosen).length + hidden),
          MOST_SHOWN,
          say(metricInfo(metric).label),
        ),
      ];

/** A note that nothing was chosen on the set that the numbers are from. */
function scoreNotes({ on, groups }: Section, say: Say): string[] {
  const hasMerged = groups.some((g) => g.chosen && g.runs.some((r) => r.forms && !r.forms.same));
  return [
    on === 'test'
      ? say(
          'All numbers are from the test set, on which nothing was chosen: at its end, each run was scored there once, with the adapter of its best evaluation on the validation set.',
        )
      : say(
          'All numbers are unweighted means over the evaluation sets (data.evaluations), on which nothing was chosen: at its end, each run was scored there once, with the adapter of its best evaluation on the validation set.',
        ),
    ...(hasMerged ? [say('Merged forms are compared on the validation set, at the last step.')] : []),
  ];
}

/** The step of the numbers, and the choices made on the set that they are evaluated on, except learning rates. */
function stepNotes(section: Section, say: Say): string[] {
  const { groups, on, unused } = section;
  if (on !== 'validation') return scoreNotes(section, say);
  const labels = (by: ChosenBy) =>
    groups
      .filter((g) => g.runs.some((r) => r.chosenBy.includes(by)))
      .map((g) => g.label)
      .join(', ');
  const [stopped, halved] = [labels('early-stopping'), labels('halving')];
  return [
    stopped === ''
      ? say(
          'All numbers are from the last step, not from the best evaluation, so that no step is chosen on the set that it is evaluated on.',
        )
      : say(
          'All numbers are from the last step, not from the best evaluation. With early stopping, that step was chosen on this same validation set, so these numbers are slightly optimistic: {0}.',
          stopped,
        ),
    ...(halved === ''
      ? []
      : [
          say(
            'Successive halving used this same validation set to choose the runs to train to the end, so these numbers are slightly optimistic: {0}.',
            halved,
          ),
        ]),
    ...(unused
      ? [
          say(
            'Only some of these runs have been scored on the same test or evaluation sets, so all are compared on the validation set.',
          ),
        ]
      : []),
  ];
}

function rateNotes({ on, searches, groups }: Section, say: Say): string[] {
  if (searches.length === 0) return [];
  const chosen = groups.filter((g) => g.chosen);
  const numbers = chosen.map((g) => searches.find((s) => s.label === g.label)?.tried.length ?? 1);
  const tried = chosen.map((g, i) => say('{1} for {0}', g.label, numbers[i])).join(', ');
  const notes = [
    on === 'validation'
      ? say(
          'Of the learning rates tried ({0}), the one with the best mean over their common seeds was chosen, by the same rule for all methods. It was chosen on this same validation set, so these numbers are slightly optimistic.',
          tried,
        )
      : say(
          'Of the learning rates tried ({0}), the one with the best mean over their common seeds was chosen, by the same rule for all methods: on the validation set, at the last step.',
          tried,
        ),
  ];
  if (new Set(numbers).size > 1)
    notes.push(say('Groups with more learning rates to choose from have an advantage over the others.'));
  return notes;
}

const WHY = {
  unfinished: 'not finished',
  failed: 'training failed',
  diverged: 'training diverged',
  damaged: 'cannot be read',
  fork: 'a fork: its first steps had other settings',
  import: 'an imported adapter: not trained with its settings',
  repeated: 'same settings and seed as a newer run',
} as const;

/** The excluded runs, and the reasons; for many with one reason only their number. */
export const leftOutWords = ({ leftOut }: Pick<Study, 'leftOut'>, say: Say): string[] =>
  [...gathered(leftOut, (run) => run.why)].flatMap(([why, runs]) =>
    runs.length > MOST_NAMED
      ? [say('{0} runs are excluded: {1}.', count(runs.length), say(WHY[why]))]
      : runs.map(({ name }) => say('{0} is excluded: {1}.', name, say(WHY[why]))),
  );

/** A sweep with successive halving leaves most of its trials unfinished. */
const MOST_NAMED = 20;

/** "2,256 validation examples" */
export function examplesText({ on, examples }: Pick<Section, 'on' | 'examples'>, say: Say): string {
  switch (on) {
    case 'test':
      return say('{0} test examples', count(examples));
    case 'evaluations':
      return say('mean over the evaluation sets');
    case 'validation':
      return say('{0} validation examples', count(examples));
  }
}
