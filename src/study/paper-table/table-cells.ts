import type { MetricName } from '../../experiment/metrics';
import type { Comparison } from '../compare-groups';
import { factorOf, resolutionOf } from '../metric';
import { holm } from '../statistics/paired-tests';
import { meanOf, summarize, type Summary } from '../statistics/summary';

/** A data set of a table, and its metric. */
export interface TableColumn {
  id: string;
  /** The name as spelled in the paper. */
  name: string;
  metric: MetricName;
}

/** A method of a table, with the paper's values in percent by the id of a data set, and their `average`. */
export interface TableMethod {
  label: string;
  paper: Readonly<Record<string, number>>;
}

/** The runs of a method with the learning rate that the search chose. */
export interface MethodRuns {
  learningRate: number;
  /** Trained parameters of the adapters. */
  parameters: number;
  /** The number of learning rates that were tried. */
  tried: number;
  /** True if the chosen one is the lowest or the highest of several. */
  isAtEnd: boolean;
  /** Seeds whose training diverged, which are in no number. */
  diverged: number[];
  /** The values in the metrics' own units, by the id of a data set. */
  runs: { seed: number; values: Readonly<Record<string, number>> }[];
}

/** The results of one experiment. */
export interface TaskRuns {
  /** The name of the training data. */
  name: string;
  /** The data sets that its runs are scored on, each with the number of its examples. */
  columns: (TableColumn & { examples: number })[];
  /** By the label of a method; those without a finished run are missing. */
  methods: Readonly<Record<string, MethodRuns>>;
  /** Each method compared with the one that it is tested against. */
  comparisons: { metric: MetricName; comparison: Comparison }[];
}

/** A method on a data set: the paper's number beside ours, in percent or, for a loss, as it is. */
export interface TableCell {
  column: string;
  metric: MetricName;
  method: string;
  paper?: number;
  ours?: Summary;
  /** Ours minus the paper's. */
  difference?: number;
  /** True if the paper's number, as it is rounded, is outside our 95% interval; undefined without an interval. */
  isBeyond?: boolean;
  seeds: number[];
  learningRate?: number;
  parameters?: number;
}

/** The id of the column with the mean over all data sets. */
export const AVERAGE = 'average';

/** Half a step of the paper's numbers, which have one decimal. */
const ROUNDING = 0.05;

/**
 * Every cell of a table, data set by data set; the last ones are averages if the whole table was trained and its metrics
 * are in percent.
 *
 * @param isWhole true if `tasks` has all data sets of the paper's table
 */
export function tableCells(
  methods: readonly TableMethod[],
  tasks: readonly TaskRuns[],
  isWhole: boolean,
): TableCell[] {
  const cells = tasks.flatMap((task) =>
    task.columns.flatMap((column) =>
      methods.map((method) => {
        const found = task.methods[method.label];
        const scored = (found?.runs ?? []).filter(({ values }) => values[column.id] !== undefined);
        return cellOf(column, method, {
          seeds: scored.map(({ seed }) => seed),
          values: scored.map(({ values }) => values[column.id]!),
          resolution: resolutionOf(column.metric, column.examples),
          ...(found && { learningRate: found.learningRate, parameters: found.parameters }),
        });
      }),
    ),
  );
  return [...cells, ...(isWhole ? averages(methods, tasks) : [])];
}

interface Values {
  seeds: number[];
  /** In the metric's own unit. */
  values: number[];
  resolution: number;
  learningRate?: number;
  parameters?: number;
}

function cellOf(
  { id, name, metric }: TableColumn,
  { label, paper: printed }: TableMethod,
  { seeds, values, resolution, learningRate, parameters }: Values,
): TableCell {
  const factor = factorOf(metric);
  const paper = printed[id];
  const ours =
    values.length === 0
      ? undefined
      : summarize(
          values.map((v) => v * factor),
          resolution * factor,
        );
  const difference = ours === undefined || paper === undefined ? undefined : ours.mean - paper;
  const half = ours?.half;
  return {
    ...{ column: name, metric, method: label, seeds },
    ...(paper !== undefined && { paper }),
    ...(ours !== undefined && { ours }),
    ...(difference !== undefined && { difference }),
    ...(difference !== undefined &&
      half !== undefined && { isBeyond: Math.abs(difference) > half + ROUNDING }),
    ...(learningRate !== undefined && { learningRate }),
    ...(parameters !== undefined && { parameters }),
  };
}

/** The mean over all data sets for each seed that all of them have, and its spread over these seeds. */
function averages(methods: readonly TableMethod[], tasks: readonly TaskRuns[]): TableCell[] {
  const columns = tasks.flatMap((task) => task.columns.map((column) => ({ task, column })));
  if (columns.length < 2 || columns.some(({ column }) => factorOf(column.metric) !== 100)) return [];
  return methods.flatMap((method) => {
    const byColumn = columns.map(
      ({ task, column }) =>
        new Map(
          (task.methods[method.label]?.runs ?? []).flatMap(({ seed, values }) =>
            values[column.id] === undefined ? [] : [[seed, values[column.id]!]],
          ),
        ),
    );
    const seeds = [...byColumn[0]!.keys()].filter((seed) => byColumn.every((of) => of.has(seed)));
    if (seeds.length === 0) return [];
    const steps = columns.map(({ column }) => resolutionOf(column.metric, column.examples));
    return [
      cellOf({ id: AVERAGE, name: AVERAGE, metric: 'accuracy' }, method, {
        seeds,
        values: seeds.map((seed) => meanOf(byColumn.map((of) => of.get(seed)!))),
        // One example of one data set changes the average by its share.
        resolution: Math.min(...steps) / columns.length,
      }),
    ];
  });
}

/** The comparisons of all experiments, with their p-values corrected together by Holm's method. */
export function tableComparisons(
  tasks: readonly TaskRuns[],
): { name: string; metric: MetricName; comparison: Comparison }[] {
  const all = tasks.flatMap(({ name, comparisons }) => comparisons.map((of) => ({ name, ...of })));
  const tested = all.filter(({ comparison }) => comparison.chance !== undefined);
  const corrected = holm(tested.map(({ comparison }) => comparison.chance!));
  const byPlace = new Map(tested.map((of, i) => [of, corrected[i]]));
  return all.map((of) =>
    byPlace.has(of) ? { ...of, comparison: { ...of.comparison, corrected: byPlace.get(of) } } : of,
  );
}
