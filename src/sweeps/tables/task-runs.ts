import { AuroraError } from '../../base/errors';
import { sortedJson } from '../../base/sorted-json';
import { evaluationSets, scoredOn } from '../../experiment/evaluation-sets';
import type { Experiment } from '../../experiment/experiment';
import { isNonlinear } from '../../experiment/methods';
import { type MetricName, metricValue } from '../../experiment/metrics';
import { type Evaluation, meanScore, scoresOf } from '../../protocol/evaluations';
import { FilesNow } from '../../runs/inputs';
import { QUICK } from '../../runs/run-files';
import { outcomesOf, studyRun } from '../../runs/run-in-study';
import { readRunSummary } from '../../runs/run-summary';
import { rowAdapter, type TableRow } from '../../recipes/paper-tables';
import { compareGroups } from '../../study/compare-groups';
import { type Group, seedOf } from '../../study/groups';
import type { MethodRuns, TableColumn, TaskRuns } from '../../study/paper-table/table-cells';
import { type Section, studyOf } from '../../study/study';
import type { StudyRun } from '../../study/study-run';
import { predictRun } from '../../training/predictions/predict';

/** An experiment of a table. */
export interface TableTask {
  /** The name of the training data. */
  name: string;
  /** The paper's data sets that its runs are scored on. */
  columns: readonly TableColumn[];
}

/** A problem that leaves a test without examples, for whoever waits, and the progress of computing them. */
export interface RunsListener {
  measuring(run: number, of: number): void;
  warn(message: string): void;
  interrupted(): boolean;
}

/**
 * The results of the runs of one experiment. Missing predictions are computed on the CPU and kept in the runs, so that
 * methods are compared example by example.
 *
 * @param base the experiment without its sweep
 * @param folders of its finished runs, and of those that diverged
 * @returns undefined if no run has finished, or it was interrupted
 */
export async function taskRuns(
  { name, columns }: TableTask,
  rows: readonly TableRow[],
  base: Experiment,
  folders: readonly string[],
  listener: RunsListener,
): Promise<TaskRuns | undefined> {
  const first = await sectionOf(folders);
  if (!first) return undefined;
  const known = new Map(rows.filter((row) => !row.isMerged).map((row) => [rowKey(row, base), row.label]));
  const groupsIn = ({ groups }: Section) =>
    new Map(groups.filter((g) => g.chosen).flatMap((g) => named(known.get(specKey(g.runs[0]!.spec)), g)));
  await addPredictions([...groupsIn(first).values()], first, listener);
  if (listener.interrupted()) return undefined;
  const section = (await sectionOf(folders))!;
  const groups = groupsIn(section);
  if (groups.size === 0) return undefined;
  const scored = scoredColumns(columns, base);
  const valuesOf = (run: StudyRun) => runValues(run, scored);
  const methods = new Map([...groups].map(([label, group]) => [label, methodRuns(group, section, valuesOf)]));
  for (const row of rows.filter(({ isMerged }) => isMerged)) {
    const trained = groups.get(rows[0]!.label);
    if (!trained) continue;
    const merged = await unlessUnreadable(() => mergedRuns(trained, scored, listener), listener);
    if (listener.interrupted()) return undefined;
    if (!merged) continue;
    groups.set(row.label, { ...trained, runs: merged.runs });
    methods.set(row.label, {
      ...methods.get(rows[0]!.label)!,
      ...{ isAtEnd: false, diverged: [], runs: merged.values },
    });
  }
  const { metric } = scored[0]!;
  const comparisons = rows.flatMap(({ label, against }) => {
    const [of, to] = [groups.get(label), against === undefined ? undefined : groups.get(against)];
    if (!of || !to) return [];
    return [{ metric, comparison: { ...compareGroups(to, of, metric), a: against!, b: label } }];
  });
  const examples = examplesOf([...groups.values()][0]!.runs[0]!, scored);
  return {
    name,
    columns: scored.map((column) => ({ ...column, examples: examples[column.id] ?? 1 })),
    methods: Object.fromEntries(methods),
    comparisons,
  };
}

/** Checkpoints that are still on a cluster, or changed files, must not hide what else is known. */
async function unlessUnreadable<T>(read: () => Promise<T>, { warn }: RunsListener): Promise<T | undefined> {
  try {
    return await read();
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    warn([e.message, e.hint ?? ''].join(' ').trim());
    return undefined;
  }
}

const named = (label: string | undefined, group: Group): [string, Group][] =>
  label === undefined ? [] : [[label, group]];

const rowKey = (row: TableRow, { adapter, training }: Experiment): string =>
  isNonlinear(adapter)
    ? sortedJson([rowAdapter(row, adapter), row.isStatic ? training.epochs : training.staticEpochs])
    : '';

const specKey = ({ adapter, training }: Experiment): string => sortedJson([adapter, training.staticEpochs]);

/** The runs as a study, compared by their own metric; undefined if none has finished. */
async function sectionOf(folders: readonly string[]): Promise<Section | undefined> {
  const now = new FilesNow();
  const runs = [];
  // Sequential, since the files of all runs cannot be open at once.
  for (const folder of folders)
    runs.push(await studyRun(readRunSummary(folder), folder, { files: QUICK, now }));
  return studyOf(runs, {}).sections[0];
}

/** Predictions make a test by examples possible; evaluation sets are compared by their mean. */
async function addPredictions(
  groups: readonly Group[],
  { on }: Section,
  listener: RunsListener,
): Promise<void> {
  const runs = groups.flatMap((g) => g.runs).filter(({ examples, spec }) => !examples && on !== 'evaluations' && hasExamples(spec, on)); // prettier-ignore
  for (const [i, { folder, step }] of runs.entries()) {
    if (listener.interrupted()) return;
    listener.measuring(i + 1, runs.length);
    const predicted = await unlessUnreadable(
      () =>
        predictRun({
          ...{ run: folder, at: step, on: on === 'test' ? on : 'validation', again: false },
          emit: async () => {},
        }),
      listener,
    );
    // The others have the same reason, and are then compared over seeds.
    if (!predicted) return;
  }
}

/** A split by seed gives each run other examples, and pictures cannot be right or wrong. */
const hasExamples = ({ data }: Experiment, on: Section['on']): boolean =>
  on === 'test' || data.validation !== undefined;

/** The set of a column without evaluation data: examples held out of the training data. */
const HELD_OUT = 'held-out';

/** The columns that the experiment's data can score: the only one, or those with an evaluation set. */
function scoredColumns(columns: readonly TableColumn[], { data, training }: Experiment): TableColumn[] {
  if (columns.length === 1) return [...columns];
  const sets = new Set(evaluationSets(data).map(({ name }) => name));
  const found = columns.filter(({ id }) => sets.has(id));
  if (found.length > 0) return found;
  return [{ id: HELD_OUT, name: 'held out', metric: training.metric as MetricName }];
}

const isBySet = ({ on }: StudyRun): boolean => on === 'evaluations';

/** The value of each column. */
function runValues(run: StudyRun, columns: readonly TableColumn[]): Record<string, number> {
  if (!isBySet(run)) return { [columns[0]!.id]: metricValue(run.metrics, columns[0]!.metric) };
  const scores = scoresOf(readRunSummary(run.folder).events, run.spec.data);
  return Object.fromEntries(
    columns.flatMap(({ id, metric }) => {
      const score = scores?.sets.find((set) => set.name === id)?.score;
      return score === undefined || score === 'diverged' ? [] : [[id, metricValue(score, metric)]];
    }),
  );
}

function examplesOf(run: StudyRun, columns: readonly TableColumn[]): Record<string, number> {
  if (!isBySet(run)) return { [columns[0]!.id]: run.metrics.examples };
  const scores = scoresOf(readRunSummary(run.folder).events, run.spec.data);
  return Object.fromEntries(
    (scores?.sets ?? []).flatMap(({ name, score }) => (score === 'diverged' ? [] : [[name, score.examples]])),
  );
}

function methodRuns(
  { learningRate, parameters, diverged, runs, label }: Group,
  { searches }: Section,
  valuesOf: (run: StudyRun) => Record<string, number>,
): MethodRuns {
  const tried = searches.find((s) => s.label === label)?.tried.map((t) => t.learningRate) ?? [];
  return {
    learningRate,
    parameters,
    tried: Math.max(1, tried.length),
    isAtEnd: tried.length > 1 && [Math.min(...tried), Math.max(...tried)].includes(learningRate),
    diverged,
    runs: runs.map((run) => ({ seed: seedOf(run), values: valuesOf(run) })),
  };
}

/** The runs of a group in the static form, as the paper merges them; undefined if interrupted. AuroraError as `predictRun`. */
async function mergedRuns(
  { runs }: Group,
  columns: readonly TableColumn[],
  listener: RunsListener,
): Promise<{ runs: StudyRun[]; values: MethodRuns['runs'] } | undefined> {
  const merged: StudyRun[] = [];
  const values: MethodRuns['runs'] = [];
  for (const [i, run] of runs.entries()) {
    if (listener.interrupted()) return undefined;
    listener.measuring(i + 1, runs.length);
    const { folder, step } = run;
    const of = (on: Parameters<typeof predictRun>[0]['on']) =>
      predictRun({ run: folder, at: step, on, as: 'static', again: false, emit: async () => {} });
    const seed = seedOf(run);
    if (!isBySet(run)) {
      const [column] = columns;
      const kept = await of(run.on === 'test' ? 'test' : 'validation');
      values.push({ seed, values: { [column!.id]: metricValue(kept.metrics, column!.metric) } });
      merged.push({ ...run, metrics: kept.metrics, examples: outcomesOf(kept) });
      continue;
    }
    const scores: Record<string, Evaluation['metrics']> = {};
    for (const { id } of columns) scores[id] = (await of(scoredOn(id))).metrics;
    values.push({
      seed,
      values: Object.fromEntries(columns.map(({ id, metric }) => [id, metricValue(scores[id]!, metric)])),
    });
    const mean = meanScore(Object.values(scores));
    if (mean !== undefined && mean !== 'diverged')
      merged.push({ ...run, metrics: { ...run.metrics, ...mean } });
  }
  return { runs: merged, values };
}
