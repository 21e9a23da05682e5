import { comparedAdapters } from '../adapters/budget/budget-comparison';
import { adaptersOn, type BudgetModule } from '../adapters/budget/budget';
import { methodOf } from '../adapters/methods/registry';
import { AuroraError } from '../base/errors';
import {
  aboutMethod,
  type AuroraSpec,
  HEAD_ALONE,
  INITIALIZATION_NAMES,
  isSubject,
  LAYER_METHODS,
  METHOD_NAMES,
  type MethodName,
  REFERENCE,
  type TrainedSpec,
} from '../experiment/methods';
import type { Experiment } from '../experiment/experiment';
import { SPLINE_READINGS } from '../experiment/method-settings';
import type { MetricName } from '../experiment/metrics';
import { PAPER } from './paper-data';
import {
  auroraOfRank,
  type PaperTable,
  RIVALS,
  type SizedMethod,
  type TableExperiment,
  type TableRow,
} from './paper-tables';

const SUBJECT = `AuroRA r=${PAPER.rank}`;

/** Sizes as multiples of the number of parameters of AuroRA of rank 2. */
const TIMES = [1, 4];

/** Without full fine-tuning, which replaces the weights. */
const METHODS = LAYER_METHODS.filter(
  (method) => !isSubject({ method }) && methodOf({ method }).weight === undefined,
);

/** LoRA's initial values from the weights or from the run's data. */
const STARTS = ['pissa', 'olora', 'eva', 'corda'] as const;

const sizedRows = (
  method: MethodName,
  settings?: Partial<TrainedSpec>,
  name: string = METHOD_NAMES[method],
): TableRow[] =>
  (aboutMethod(method).size ? TIMES : [1]).map((times) => ({
    label: times === 1 ? name : `${name} ×${times}`,
    ...{ adapter: { like: method, times, ...(settings && { settings }) }, paper: {}, against: SUBJECT },
  }));

const startRows = STARTS.flatMap((initialization) =>
  sizedRows(
    REFERENCE,
    { initialization },
    `${METHOD_NAMES[REFERENCE]}, ${INITIALIZATION_NAMES[initialization]}`,
  ),
);

/** AuroRA with the other readings of L(z), at the ranks of its default one. */
const readingRows = SPLINE_READINGS.filter((spline) => spline !== 'shared').flatMap((spline) =>
  TIMES.map((times) => auroraOfRank(times * PAPER.rank, SUBJECT, spline)),
);

const experiment = (id: string, name: string, metric: MetricName): TableExperiment => ({
  ...{ id, name, study: `${id}.aurora.json` },
  columns: [{ id, name, metric }],
});

/**
 * The study of rivals: every method, and LoRA from every start, at the size nearest to AuroRA's number of
 * parameters, and to four times as many. Methods whose size is fixed are trained once.
 */
export const RIVALS_TABLE: PaperTable = {
  name: RIVALS,
  title: 'AuroRA and other adapters at equal numbers of parameters',
  rows: [
    auroraOfRank(PAPER.rank),
    auroraOfRank(TIMES[1]! * PAPER.rank, SUBJECT),
    ...readingRows,
    ...METHODS.flatMap((method) => sizedRows(method)),
    ...startRows,
    { label: 'head only', adapter: HEAD_ALONE, paper: {}, against: SUBJECT },
  ],
  rates: [1e-3, 3e-3, 1e-2, 3e-2],
  experiments: [
    experiment('debian-sections', 'Debian sections', 'accuracy'),
    experiment('fashion', 'Fashion', 'accuracy'),
    experiment('debian-summaries', 'Debian summaries', 'loss'),
  ],
};

/**
 * The rows with the settings that they have on a model. Left out are methods that its layers do not allow, such as biases where
 * there are none, sizes that they do not allow twice, and the head alone of a task without a head.
 *
 * @param layers of the model
 */
export function sizedOn(
  rows: readonly TableRow[],
  layers: readonly BudgetModule[],
  { adapter: base, task }: Pick<Experiment, 'task'> & { adapter: AuroraSpec },
): TableRow[] {
  const sized = rows.flatMap((row): TableRow[] => {
    if (row.adapter === HEAD_ALONE) return task.head === 'none' ? [] : [row];
    if (!('like' in row.adapter)) return [row];
    const settings = settingsOf(row.adapter, layers, base);
    return settings ? [{ ...row, adapter: { settings } }] : [];
  });
  const key = ({ adapter }: TableRow) => JSON.stringify(adapter);
  return sized.filter((row, i) => sized.findIndex((other) => key(other) === key(row)) === i);
}

function settingsOf(
  { like, times, settings: more }: SizedMethod,
  layers: readonly BudgetModule[],
  base: AuroraSpec,
): TrainedSpec | undefined {
  try {
    const choice = { methods: [like], multiples: [times], ablations: false };
    const settings = { ...comparedAdapters(layers, base, choice)[1], ...more } as TrainedSpec;
    adaptersOn(layers, settings);
    return settings;
  } catch (e) {
    if (e instanceof AuroraError && (e.kind === 'targets' || e.kind === 'rank')) return undefined;
    throw e;
  }
}
