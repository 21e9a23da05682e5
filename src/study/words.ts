import { metricInfo, type MetricName } from '../experiment/metrics';
import type { Comparison } from './compare';
import { digitsOf, factorOf, shown, shownSigned } from './metric';
import type { ChosenBy } from './run';
import type { Say } from './say';
import type { Section, Study } from './study';
import { inputNotes } from './trained-on';

/** 2,256 */
export const count = (n: number): string => n.toLocaleString('en-US');

/** A p-value, never rounded to zero. */
export const chanceText = (p: number): string =>
  p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(p < 0.095 ? 3 : 2)}`;

const LEVEL = 0.05;

/** The observed difference, and what could have been detected, as sentences. */
export function comparisonWords(c: Comparison, study: Study, say: Say): string {
  return [difference(c, study.metric, say), tested(c, study, say), ...limit(c, study.metric, say)].join(' ');
}

function difference(c: Comparison, metric: MetricName, say: Say): string {
  const size = amount(Math.abs(c.mean), metric, say);
  const isNone = Number((Math.abs(c.mean) * factorOf(metric)).toFixed(digitsOf(metric))) === 0;
  const interval =
    c.half === undefined
      ? ''
      : ` ${say('(95 % interval {0} to {1})', shownSigned(metric, c.mean - c.half), shownSigned(metric, c.mean + c.half))}`;
  if (isNone) return `${say('{0} and {1} are equal as far as is shown', c.a, c.b)}${interval}.`;
  return c.mean > 0
    ? `${say('{0} is {1} above {2}', c.a, size, c.b)}${interval}.`
    : `${say('{0} is {1} below {2}', c.a, size, c.b)}${interval}.`;
}

function tested(c: Comparison, { tests }: Study, say: Say): string {
  if (c.kind === 'none')
    return c.seeds.length === 0
      ? say('They have no seed in common, so nothing was tested.')
      : say('One seed without predictions of each example is nothing to test by.');
  if (c.chance === undefined)
    return say('The difference is the same in each pair, which leaves no spread to test by.');
  const p = chanceText(c.chance);
  const corrected =
    c.corrected !== undefined && tests > 1
      ? say('{0}, {1} corrected for {2} comparisons', p, chanceText(c.corrected).replace('p = ', ''), tests)
      : p;
  const how = testWords(c, say);
  if ((c.corrected ?? c.chance) < LEVEL)
    return c.kind === 'seeds'
      ? say('{0}: {1}, more than a chance choice of seeds explains.', how, corrected)
      : say('{0}: {1}, more than chance explains.', how, corrected);
  return say('{0}: {1}, so it may be chance.', how, corrected);
}

function testWords({ kind, seeds, examples = 0 }: Comparison, say: Say): string {
  const list = seedList(seeds, say);
  if (kind === 'crossed')
    return say('Tested in pairs over {0} and {1} validation examples', list, count(examples));
  if (kind === 'seeds') return say('Tested in pairs over {0} alone, on the same validation examples', list);
  return say('Tested in pairs over {0} validation examples of {1} alone', count(examples), list);
}

const seedList = (seeds: readonly number[], say: Say): string =>
  seeds.length === 1 ? say('seed {0}', seeds[0]) : say('{0} seeds ({1})', seeds.length, seeds.join(', '));

function limit({ kind, detectable, seeds }: Comparison, metric: MetricName, say: Say): string[] {
  if (detectable === undefined) return [];
  const size = amount(detectable, metric, say);
  if (kind === 'examples')
    return [say('A difference below {0} could hardly have been seen (80 % power at 5 %, two-sided).', size)];
  return kind === 'crossed'
    ? [
        say(
          'With these {0} seeds a difference below {1} could hardly have been seen (80 % power at 5 %, two-sided).',
          seeds.length,
          size,
        ),
      ]
    : [
        say(
          'With these {0} seeds a difference below {1} on these same examples could hardly have been seen (80 % power at 5 %, two-sided); on other examples it would have to be larger.',
          seeds.length,
          size,
        ),
      ];
}

/** "0.6 points of accuracy" */
function amount(value: number, metric: MetricName, say: Say): string {
  const text = shown(metric, value);
  const { label, percent, inPoints } = metricInfo(metric);
  if (!inPoints) return say('{0} of {1}', text, say(label));
  return percent
    ? say('{0} points of {1}', text, say(label))
    : say('{0} points of {1} × 100', text, say(label));
}

/** How to read the numbers of a data set. */
export function sectionNotes(section: Section, { metric, tests }: Study, say: Say): string[] {
  const notes = stepNotes(section, say);
  for (const { label, diverged, runs } of section.groups)
    if (diverged.length > 0)
      notes.push(
        say(
          'Of the {0} runs of {1}, {2} diverged (seeds {3}). Its numbers are those of the others, and so a little too good.',
          runs.length + diverged.length,
          label,
          diverged.length,
          diverged.join(', '),
        ),
      );
  if (section.groups.some((g) => g.runs.length > 1))
    notes.push(
      say(
        '± is the standard deviation over seeds; error bars are 95 % intervals of the mean over seeds (Student’s t), those of time and memory standard deviations.',
      ),
    );
  notes.push(
    say(
      'The validation set has {0} examples, which alone gives an accuracy a standard error of about {1} points, alike for all groups.',
      count(section.examples),
      (100 * section.samplingError).toFixed(1),
    ),
  );
  if (section.comparisons.some((c) => c.kind === 'crossed'))
    notes.push(
      say(
        'Over seeds and examples the test takes both as samples (crossed random factors, Clark 1973; critical values by Banerjee 1960), so it speaks of other seeds and of other texts of the same kind.',
      ),
    );
  if (section.comparisons.some((c) => c.kind === 'seeds'))
    notes.push(
      metricInfo(metric).meanOf === undefined
        ? say(
            'Over seeds alone (paired t test) it speaks of other seeds on these same texts; what other texts would do is not in it. This metric cannot be split into examples; accuracy and loss can.',
          )
        : say(
            'Over seeds alone (paired t test) it speaks of other seeds on these same texts; what other texts would do is not in it, and counts for more. Predictions of each example are needed for that: measure what is missing.',
          ),
    );
  if (section.comparisons.some((c) => c.kind === 'examples'))
    notes.push(
      say(
        'Over the examples of one seed (McNemar’s exact test for accuracy) it speaks of other texts with these same two trained models; another seed may differ.',
      ),
    );
  if (tests > 1)
    notes.push(
      say(
        'Chances are corrected for all {0} comparisons with a reference in this study by Holm’s method; intervals are not.',
        tests,
      ),
    );
  const places = [...new Set(section.groups.flatMap((g) => g.runs.flatMap((r) => r.place ?? [])))];
  if (places.length > 1)
    notes.push(say('Times and memory are of different places and do not compare: {0}.', places.join('; ')));
  const runs = section.groups.flatMap((g) => g.runs);
  return [...notes, ...inputNotes(runs, say), ...rateNotes(section, say)];
}

/** The step of the numbers, and what was chosen on the set that they are evaluated on, except learning rates. */
function stepNotes({ groups }: Section, say: Say): string[] {
  const labels = (by: ChosenBy) =>
    groups
      .filter((g) => g.runs.some((r) => r.chosenBy.includes(by)))
      .map((g) => g.label)
      .join(', ');
  const [stopped, halved] = [labels('early-stopping'), labels('halving')];
  return [
    stopped === ''
      ? say(
          'All numbers are of the last step, not of the best evaluation, so that no step is chosen on the set it is judged on.',
        )
      : say(
          'All numbers are of the last step, not of the best evaluation. With early stopping, that step was chosen on this same validation set, so these numbers are a little too good: {0}.',
          stopped,
        ),
    ...(halved === ''
      ? []
      : [
          say(
            'Successive halving chose on this same validation set which runs were trained to their end, so these numbers are a little too good: {0}.',
            halved,
          ),
        ]),
  ];
}

function rateNotes({ searches, groups }: Section, say: Say): string[] {
  if (searches.length === 0) return [];
  const chosen = groups.filter((g) => g.chosen);
  const numbers = chosen.map((g) => searches.find((s) => s.label === g.label)?.tried.length ?? 1);
  const tried = chosen.map((g, i) => say('{0} had {1}', g.label, numbers[i])).join(', ');
  const notes = [
    say(
      'Of several learning rates, that of the best mean over the seeds they have in common was chosen, by the same rule for all methods: {0}. It was chosen on this same validation set, so the chosen numbers are a little too good.',
      tried,
    ),
  ];
  if (new Set(numbers).size > 1)
    notes.push(say('Those with more learning rates to choose from have an advantage over the others.'));
  return notes;
}

const WHY = {
  unfinished: 'not finished',
  diverged: 'its training diverged',
  damaged: 'cannot be read',
  fork: 'a fork: its first steps had other settings',
  import: 'an imported adapter: not trained by its settings',
  repeated: 'the settings and the seed of a newer run',
} as const;

/** Which runs are excluded, and why. */
export const leftOutWords = (study: Study, say: Say): string[] =>
  study.leftOut.map(({ name, why }) => say('{0} is left out: {1}.', name, say(WHY[why])));
