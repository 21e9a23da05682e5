import { basename, dirname, resolve } from 'node:path';
import { bytes, count, durationText, sharePercent, shortNumber } from '../../../base/number-text';
import {
  formatMetric,
  metricCells,
  metricHeads,
  metricInfo,
  type Metrics,
  metricValue,
  score,
} from '../../../experiment/metrics';
import { scoringWords } from '../../../experiment/scoring';
import { shownMetrics } from '../../../experiment/shown-metrics';
import { absentWords } from '../../../protocol/absent-labels';
import { alarmSentence } from '../../../protocol/alarms';
import type { MeanScore } from '../../../protocol/evaluations';
import type { Evaluated } from '../../../protocol/events';
import { runNumbers } from '../../../runs/numbers';
import { trialOf } from '../../../runs/sweep/record';
import type { FinishedResult } from '../../../training/run/run-result';
import { deviceWords } from '../../../protocol/device-words';
import { table } from '../../table';

/** The reference of a run: the head alone, or the untrained model. */
export interface Reference {
  name: string;
  metrics: Metrics;
  note: string;
}

/** The report of a finished run: its settings, its comparison, and its place. */
export function report(result: FinishedResult, run: string, reference: Reference | undefined): string {
  const { trained, best, last, baseline } = result;
  const names = shownMetrics(baseline.metric, best);
  const row = (label: string, metrics: Metrics, note: string) => [
    `  ${label}`,
    ...metricCells(names, metrics),
    note,
  ];
  const rows = [
    ['  validation', ...metricHeads(names), ''],
    row('baseline', { [baseline.metric]: baseline.value }, baseline.answer),
    ...(reference ? [row(reference.name, reference.metrics, reference.note)] : []),
    row(`${result.method}, best`, best, `step ${best.step}`),
    ...(best.step === result.steps ? [] : [row(`${result.method}, last`, last, `step ${result.steps}`)]),
  ];
  const head = trained.head ? `, and ${count(trained.head)} in the head` : '';
  const share = trained.model
    ? ` (${sharePercent(trained.adapters / trained.model)} of the model's ${count(trained.model)})`
    : '';
  return [
    '',
    `Trained ${count(trained.adapters)} adapter parameters${share} in ${trained.modules} modules${head}.`,
    ...rankLines(result),
    `${count(result.steps)} steps in ${durationText(result.seconds)} (${shortNumber(result.examples / result.seconds)} samples/s), peak memory ${bytes(result.peakMemory)}.`,
    `Trained in ${deviceWords(result.device)}.`,
    '',
    ...table(rows, '   '),
    ...(result.scoring ? ['', `Answers were found ${scoringWords(result)}.`] : []),
    ...absentLines(result),
    ...belowBaseline(result),
    ...alarmLines(result),
    ...scoreLines(result),
    '',
    ...numberLine(run),
    `Run folder  ${run}`,
    '',
    '',
  ].join('\n');
}

/** The ranks that a method has left after the last step. */
function rankLines({ ranks }: FinishedResult): string[] {
  if (!ranks) return [];
  const all = Object.values(ranks);
  const sum = all.reduce((a, b) => a + b, 0);
  return [
    `Ranks in use at the end: ${count(sum)}, ${Math.min(...all)} to ${Math.max(...all)} in each module (result.json).`,
  ];
}

/** The best adapter's scores on the sets that training did not see. */
function scoreLines({ best, baseline, test, evaluations = {}, evaluationsMean }: FinishedResult): string[] {
  const sets: (readonly [string, Evaluated | MeanScore])[] = [
    ...(test === undefined ? [] : [['test', test] as const]),
    ...Object.entries(evaluations),
  ];
  if (sets.length === 0) return [];
  const size = Object.keys(evaluations).length;
  if (evaluationsMean !== undefined && size > 1) sets.push([`mean of ${size} sets`, evaluationsMean]);
  const names = shownMetrics(
    baseline.metric,
    ...sets.flatMap(([, score]) => (score === 'diverged' ? [] : [score])),
  );
  const examples = (score: Evaluated | MeanScore) =>
    score !== 'diverged' && 'examples' in score ? `${count(score.examples as number)} examples` : '';
  const rows = sets.map(([name, score]) => [
    `  ${name}`,
    ...(score === 'diverged' ? names.map(() => 'diverged') : metricCells(names, score)),
    examples(score),
  ]);
  return [
    '',
    `Of the best adapter, of step ${best.step}, on data that training did not see:`,
    '',
    ...table([['', ...metricHeads(names), ''], ...rows], '   '),
  ];
}

/** The reason why macro F1 is lower than that of the labels in the data. */
function absentLines({ best, last, steps }: FinishedResult): string[] {
  const of = [
    [`Best, step ${best.step}`, absentWords(best)],
    ...(best.step === steps ? [] : [[`Last, step ${steps}`, absentWords(last)]]),
  ];
  const lines = of.flatMap(([name, words]) => (words === undefined ? [] : [`${name}: ${words}`]));
  return lines.length > 0 ? ['', ...lines] : [];
}

function alarmLines({ alarms = [] }: FinishedResult): string[] {
  if (alarms.length === 0) return [];
  return [
    '',
    'Alarms during training (docs/alarms.md):',
    ...alarms.map((alarm) => `  step ${count(alarm.step)}: ${alarmSentence(alarm)}`),
  ];
}

/** Warns of a result that needs no model. */
function belowBaseline({ best, baseline: { metric, value, answer } }: FinishedResult): string[] {
  const own = metricValue(best, metric);
  const label = metricInfo(metric).label;
  const constant = `a constant answer (${answer}: ${formatMetric(metric, value)})`;
  const difference = score(metric, own) - score(metric, value);
  if (difference > 0) return [];
  return difference < 0
    ? ['', `The best evaluation's ${label}, ${formatMetric(metric, own)}, is worse than ${constant}.`]
    : ['', `The best evaluation's ${label} is no better than ${constant}.`];
}

/**
 * The line with the number by which other commands can name the run. For the thousands of trials of a sweep, nobody
 * reads it.
 */
function numberLine(run: string): string[] {
  const folder = resolve(run);
  const number = trialOf(folder) ? undefined : runNumbers(dirname(folder)).get(basename(folder));
  return number === undefined ? [] : [`Run         #${number}`];
}
