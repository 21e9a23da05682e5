import { table } from '../../table';
import { deviceWords } from '../../device-line';
import { count, duration } from '../../format';
import { metricCells, metricHeads, type MetricName } from '../../../experiment/metrics';
import { percent } from '../../../base/percent';
import type { FinishedResult } from '../../../trainer/run/result';

const metric = (label: string, m: Readonly<Record<MetricName, number>>, note = '') => [
  `  ${label}`,
  ...metricCells(m),
  note,
];

/** The report of a finished run: what was trained, how it compares, and where it is. */
export function report(result: FinishedResult, run: string, headOnly: FinishedResult | undefined): string {
  const { trained, best, last, majority } = result;
  const rows = [
    ['  validation', ...metricHeads(), ''],
    ['  majority class', ...metricCells({ accuracy: majority.accuracy }), `always "${majority.label}"`],
    ...(headOnly ? [metric('head only', headOnly.best, `step ${headOnly.best.step}`)] : []),
    metric(`${result.method}, best`, best, `step ${best.step}`),
    ...(best.step === result.steps ? [] : [metric(`${result.method}, last`, last, `step ${result.steps}`)]),
  ];
  const share = trained.model
    ? ` (${percent(trained.adapters / trained.model, 2)} of the model's ${count(trained.model)})`
    : '';
  return [
    '',
    `Trained ${count(trained.adapters)} adapter parameters${share} in ${trained.modules} modules, and ${count(trained.head)} in the head.`,
    `${count(result.steps)} steps in ${duration(result.seconds)} (${(result.examples / result.seconds).toFixed(0)} samples/s), peak memory ${(result.peakMemory / 2 ** 30).toFixed(2)} GiB.`,
    `Trained in ${deviceWords(result.device)}.`,
    '',
    ...table(rows, '   '),
    ...belowMajority(result),
    '',
    `Run folder  ${run}`,
    '',
    '',
  ].join('\n');
}

/** Warns of an accuracy that needs no model, so that nobody takes it for a result. */
function belowMajority({ best, majority }: FinishedResult): string[] {
  const always = `always answering "${majority.label}" (${percent(majority.accuracy)})`;
  if (best.accuracy > majority.accuracy) return [];
  return best.accuracy < majority.accuracy
    ? ['', `The best evaluation's accuracy, ${percent(best.accuracy)}, is below ${always}.`]
    : ['', `The best evaluation's accuracy is no better than ${always}.`];
}
