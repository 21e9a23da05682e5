import { gathered } from '../base/gathered';
import { isMetric, metricsIn, metricValue, type MetricName } from '../experiment/metrics';
import type { Experiment } from '../experiment/experiment';
import { isReference, isSubject } from '../experiment/methods';
import { compareGroups, samplingError, type Comparison } from './compare-groups';
import { groupsOf, type Group } from './groups';
import { judged, judgedOn, type JudgedOn, type StudyRun, type Unfit, type UnfitRun } from './study-run';
import { missingOf, type Missing } from './missing-results';
import { chooseRates, type RateSearch } from './chosen-rates';
import { groupKey, isData, keyOf, settingsOf } from './labels';
import { holm } from './statistics/paired-tests';

export interface StudyOptions {
  /** The runs' metric by default. */
  metric?: MetricName;
  /** The label of the group that the others are compared with; chosen automatically if no group has it. */
  against?: string;
}

/** Everything in a study's report and page. */
export interface Study {
  metric: MetricName;
  /** The metrics that the runs have. */
  metrics: MetricName[];
  sections: Section[];
  leftOut: { folder: string; name: string; why: Unfit }[];
  /** Number of tests that were adjusted together. */
  tests: number;
  missing: Missing[];
}

/** The runs on one data set. */
export interface Section {
  /**
   * The name of the file that the runs are compared on, without extensions: of the validation file, if that is several,
   * and of the training file if validation is split off from it.
   */
  name: string;
  /** The data that the runs are compared on. */
  on: JudgedOn;
  /** Some of the runs have scores on other sets, which the others lack. */
  unused: boolean;
  examples: number;
  /** All groups, including those of learning rates that were not chosen. */
  groups: Group[];
  searches: RateSearch[];
  /** The label of the group that the others are compared with. */
  reference: string;
  /** Each chosen group compared with the reference. */
  comparisons: Comparison[];
  /** Each variant compared with the plainest group of its method and rank. */
  ablations: Comparison[];
  /** For the accuracy, by the number of examples alone; undefined for a task without it. */
  samplingError?: number;
  /** Chosen groups that are not shown (`shownOf`). */
  hidden?: number;
}

/** The runs as a study: grouped, summarized and compared. */
export function studyOf(runs: readonly (StudyRun | UnfitRun)[], options: StudyOptions): Study {
  const finished = runs.filter((r): r is StudyRun => !('unfit' in r));
  const fit = newestOfRepeats(finished);
  const metrics = metricsIn(...fit.map((r) => r.metrics));
  const metric = metrics.find((m) => m === options.metric) ?? ownMetric(fit);
  const diverged = divergedOf(runs, fit);
  const dataOf = (spec: Experiment) => keyOf(settingsOf(spec), (key) => !isData(key));
  const divergedBy = gathered(diverged, dataOf);
  const sections = [...gathered(fit, (run) => dataOf(run.spec))].map(([key, of]) =>
    sectionOf(of, divergedBy.get(key) ?? [], metric, options.against),
  );
  const tests = correct(sections.flatMap((s) => s.comparisons));
  const counted = new Set(fit);
  const leftOut = runs.flatMap((r) => {
    const why = 'unfit' in r ? r.unfit : counted.has(r) ? undefined : 'repeated';
    return why ? [{ folder: r.folder, name: r.name, why }] : [];
  });
  return { metric, metrics, sections, leftOut, tests, missing: missingOf(sections) };
}

const repeatKey = (spec: Experiment): string => `${spec.training.seed} ${groupKey(spec)}`;

/** The settings of the runs that diverged, without duplicates and without those that finished another time. */
function divergedOf(runs: readonly (StudyRun | UnfitRun)[], fit: readonly StudyRun[]): Experiment[] {
  const found = runs.flatMap((r) => ('unfit' in r && r.unfit === 'diverged' ? (r.spec ?? []) : []));
  if (found.length === 0) return [];
  const finished = new Set(fit.map((r) => repeatKey(r.spec)));
  return [...new Map(found.map((spec) => [repeatKey(spec), spec])).entries()].flatMap(([key, spec]) =>
    finished.has(key) ? [] : [spec],
  );
}

/** Runs with equal settings and seed are equal: only the newest counts. */
function newestOfRepeats(runs: readonly StudyRun[]): StudyRun[] {
  const newest = new Map<string, StudyRun>();
  for (const run of runs) {
    const key = repeatKey(run.spec);
    const before = newest.get(key);
    if (!before || baseName(run.folder) > baseName(before.folder)) newest.set(key, run);
  }
  return [...newest.values()];
}

const baseName = (path: string): string => path.split(/[\\/]/).at(-1)!;

function ownMetric(runs: readonly StudyRun[]): MetricName {
  const metric = runs.at(0)?.spec.training.metric;
  return isMetric(metric) ? metric : 'accuracy';
}

function sectionOf(
  all: readonly StudyRun[],
  diverged: readonly Experiment[],
  metric: MetricName,
  against: string | undefined,
): Section {
  const on = judgedOn(all);
  const runs = all.map((run) => judged(run, on));
  const groups = groupsOf(runs, diverged);
  const searches = chooseRates(groups, metric, diverged);
  const chosen = groups.filter((g) => g.chosen);
  const reference = chosen.find((g) => g.label === against) ?? defaultReference(chosen);
  const { data } = runs[0].spec;
  // A study may have data sets of other tasks, which have other metrics.
  const isKnown = (g: Group) => !Number.isNaN(g.metrics[metric].mean);
  const examples = runs[0].metrics.examples;
  return {
    name: dataName((on === 'test' ? data.test : undefined) ?? data.validation ?? data.train),
    on,
    unused: on === 'validation' && all.some((r) => r.test !== undefined || r.evaluations !== undefined),
    examples,
    groups,
    searches,
    reference: reference.label,
    comparisons: chosen
      .filter((g) => g !== reference && isKnown(g) && isKnown(reference))
      .map((g) => compareGroups(g, reference, metric)),
    ablations: ablationsOf(chosen.filter(isKnown), metric),
    ...(on !== 'evaluations' &&
      runs.every((r) => r.metrics.accuracy !== undefined) && {
        samplingError: samplingError(
          runs.map((r) => metricValue(r.metrics, 'accuracy')),
          examples,
        ),
      }),
  };
}

/** A file's name without extensions, preceded by its folder's if the name is not informative. */
function dataName(path: string): string {
  const [folder, file] = path.split(/[\\/]/).slice(-2);
  const name = (file ?? folder).replace(
    /(\.(jsonl|ndjson|json|csv|tsv|conll|iob2?|bio|parquet|gz|txt))+$/,
    '',
  );
  return file !== undefined && /^(valid(ation)?|dev|test|train|data)$/.test(name)
    ? `${folder}/${name}`
    : name;
}

/** LoRA at one of AuroRA's ranks, otherwise any LoRA, otherwise the plainest group. */
function defaultReference(groups: readonly Group[]): Group {
  const plain = [...groups].sort((a, b) => a.details.length - b.details.length);
  const lora = plain.filter(isReference);
  const ranks = plain.filter(isSubject).map((g) => g.rank);
  return lora.find((g) => ranks.includes(g.rank)) ?? lora[0] ?? plain.find(isSubject) ?? plain[0];
}

function ablationsOf(groups: readonly Group[], metric: MetricName): Comparison[] {
  return [...gathered(groups, (g) => `${g.method} ${g.rank}`).values()].flatMap((all) => {
    const plain = all.reduce((a, b) => (b.details.length < a.details.length ? b : a));
    return all.filter((g) => g !== plain).map((g) => compareGroups(g, plain, metric));
  });
}

/** @returns the number of tests */
function correct(comparisons: readonly Comparison[]): number {
  const tested = comparisons.filter((c) => c.chance !== undefined);
  const corrected = holm(tested.map((c) => c.chance!));
  tested.forEach((c, i) => (c.corrected = corrected[i]));
  return tested.length;
}
