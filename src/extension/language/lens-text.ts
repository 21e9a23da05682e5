import { budgetSentence, uselessLayers } from '../../adapters/budget/budget';
import { chooseLayers } from '../../adapters/targets/select';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { count, progressPercent, stepTime } from '../../base/number-text';
import { sortedJson } from '../../base/sorted-json';
import { isHeadAlone, type TrainedSpec } from '../../experiment/methods';
import { formatMetric, metricInfo, type MetricName } from '../../experiment/metrics';
import { readIfThere } from '../../files/read';
import { preparingText } from '../../protocol/preparing';
import { ExperimentText, withoutMark } from '../../runs/experiment/experiment-text';
import { claimOfSweep } from '../../runs/claim-folder';
import { runPaths } from '../../runs/layout';
import { isActive } from '../runs/shown-state';
import type { RunEntry, SweepEntry } from '../runs/store';
import { shortPaths } from '../words/error-text';
import { bestValue, bySweep, doneTrials, plannedTrials } from '../words/sweep-row';
import { type Analysis, foldersOf } from './analysis';
import { nearestEndings } from './checks/check-model';
import type { KeptPreflight } from './kept-preflight';

/** The lens above "adapter": its cost, or why that cannot be counted. */
export function budgetText({ adapter, model, layers, doc }: Analysis): { text: string; counted: boolean } {
  const no = (why: string) => ({ text: `$(warning) ${t('No budget: {0}', why)}`, counted: false });
  const folders = foldersOf(doc);
  if (!adapter) return no(t('the adapter settings contain an error.'));
  if (isHeadAlone(adapter)) return { text: budgetSentence([], adapter), counted: true };
  switch (model.state) {
    case 'unnamed':
      return no(t('model.path is missing.'));
    case 'missing':
      return no(t('the model file is missing.'));
    case 'failed':
      return no(shortPaths(model.error.message.replace(/\s+/g, ' '), folders));
    case 'reading':
      return { text: `$(loading~spin) ${t('Reading the model…')}`, counted: false };
  }
  try {
    return { text: `$(symbol-ruler) ${budgetSentence(layers, adapter)}`, counted: true };
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    if (e.kind !== 'targets' || layers.length === 0 || matchesSome(layers, adapter))
      return no(shortPaths(e.message, folders));
    const [first] = [adapter.targetModules].flat();
    const near = nearestEndings(
      first,
      layers.map((l) => l.path),
    );
    return no(t('nothing matched; nearest: {0}.', near.join(', ')));
  }
}

/** True if the targets match something, or have a problem other than matching nothing. */
function matchesSome(layers: Analysis['layers'], adapter: TrainedSpec): boolean {
  try {
    return (
      chooseLayers(
        layers.map((l) => l.path),
        adapter,
        uselessLayers(layers),
      ).matched.length > 0
    );
  } catch {
    return true;
  }
}

/** "Preflight: fits, 3.0 s/step": the last one, perhaps of an earlier text. */
export function preflightText({ fits, secondsPerStep, sum }: KeptPreflight, now: string): string {
  const parts = [
    fits ? t('fits') : t('found errors'),
    ...(secondsPerStep === undefined ? [] : [t('{0}/step', stepTime(secondsPerStep))]),
    ...(sum === now ? [] : [t('before changes')]),
  ];
  return t('Preflight: {0} · Show', parts.join(', '));
}

/** The text for an experiment's running run; undefined if none is running. */
export function runningText(runs: readonly RunEntry[]): { folder: string; text: string } | undefined {
  const going = runs.find((r) => r.state === 'running' || r.state === 'starting');
  if (!going) return undefined;
  const status = going.run?.status;
  if (going.state === 'starting' || !status || status.steps === 0)
    return {
      folder: going.folder,
      text: `$(sync~spin) ${status?.preparing ? preparingText(status.preparing) : t('Starting…')}`,
    };
  const share = progressPercent(status.step, status.steps);
  return { folder: going.folder, text: `$(sync~spin) ${t('Running {0}', share)}` };
}

/** Beside the state of a run that was started before the file was edited. */
export const olderText = (): string => `$(history) ${t('The run uses an older version · Show Difference')}`;

/** The lens above "sweep". */
export const sweepText = (trials: number): string =>
  `$(run-all) ${trials === 1 ? t('Run Sweep: 1 trial') : t('Run Sweep: {0} trials', count(trials))}`;

/** The text for an experiment's running sweep: "Sweep: 7 of 24". */
export function runningSweepText(
  sweeps: readonly SweepEntry[],
  runs: readonly RunEntry[],
): { folder: string; text: string } | undefined {
  const going = sweeps.find((s) => s.state === 'running' && !claimOfSweep(s.folder));
  if (!going) return undefined;
  const planned = plannedTrials(going.record);
  const done = doneTrials(bySweep([going], runs).groups[0]?.runs ?? []);
  return {
    folder: going.folder,
    text: `$(sync~spin) ${t('Sweep: {0} of {1}', count(done), count(planned))}`,
  };
}

/** "3 runs · best accuracy 63.4%": the best of the runs that use the newest run's metric; undefined without runs. */
export function runsText(runs: readonly RunEntry[]): string | undefined {
  if (runs.length === 0) return undefined;
  const all = runs.length === 1 ? t('1 run') : t('{0} runs', count(runs.length));
  const metric = runs.find((r) => r.run)?.run?.spec.training?.metric;
  const best = metric && bestOf(runs, metric);
  if (!metric || best === undefined) return all;
  return t('{0} · best {1} {2}', all, metricInfo(metric).label, formatMetric(metric, best));
}

const bestOf = (runs: readonly RunEntry[], metric: MetricName): number | undefined =>
  bestValue(
    runs.flatMap(({ run }) => (run?.spec.training?.metric === metric ? run : [])),
    metric,
  );

/** The texts that runs were started with; they never change. */
const texts = new Map<string, string>();

/**
 * The first of these runs that is training other settings than the text has. Runs without a copy of their experiment's
 * text, trials and forks, do not count.
 */
export async function runOfOlderVersion(
  runs: readonly RunEntry[],
  text: string,
): Promise<RunEntry | undefined> {
  for (const run of runs.filter((r) => isActive(r.state) && r.trial === undefined)) {
    const started = await textOf(run.folder);
    if (started !== undefined && !sameSettings(started, text)) return run;
  }
  return undefined;
}

async function textOf(run: string): Promise<string | undefined> {
  const known = texts.get(run);
  if (known !== undefined) return known;
  const bytes = await readIfThere(runPaths(run).source).catch(() => undefined);
  if (!bytes) return undefined;
  const text = bytes.toString('utf8');
  texts.set(run, text);
  return text;
}

/**
 * True if both experiments have equal settings: comments, layout, the order of keys, the sweep, the claim and the
 * cluster do not matter.
 */
export const sameSettings = (a: string, b: string): boolean => a === b || settingsOf(a) === settingsOf(b);

/** Text that is not JSON, as while it is being edited, is compared as far as it can be read. */
function settingsOf(text: string): string {
  const value = new ExperimentText('', withoutMark(text)).value();
  const settings =
    typeof value === 'object' && value !== null
      ? { ...value, sweep: undefined, claim: undefined, cluster: undefined }
      : value;
  return sortedJson(settings ?? null);
}
