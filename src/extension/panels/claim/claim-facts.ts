import { basename } from 'node:path';
import { sortedJson } from '../../../base/sorted-json';
import type { Claim } from '../../../experiment/claim';
import { metricValue, type MetricValue } from '../../../experiment/metrics';
import { SEED, type Settings } from '../../../experiment/sweep';
import { experimentName } from '../../../runs/layout';
import { hasDiverged } from '../../../runs/outcome';
import type { TrialRecord } from '../../../runs/sweep/record';
import type { Certificate } from '../../../study/claim/certificate';
import type { ClaimFacts, ClaimPhaseFacts, TestRow } from '../../../study/claim/claim-messages';
import type { SearchSoFar } from '../../../study/claim/claim-report';
import { meanOf } from '../../../study/statistics/summary';
import { labelOfId, runLabel, trialLabel } from '../../runs/label';
import type { ClaimEntry, RunEntry, SweepEntry } from '../../runs/store';
import { canContinue, claimTitle, sweepsOfClaim } from '../../words/claim-row';
import type { RowContext } from '../../words/run-row';
import { pageTrial } from '../sweep/page-trial';

/**
 * A claim for its page, from its folder, its sweeps and their runs as they are on disk.
 *
 * @param sweeps those of its experiment, and `runs` likewise
 */
export function claimFacts(
  claim: ClaimEntry,
  sweeps: readonly SweepEntry[],
  runs: readonly RunEntry[],
  { trusted }: Pick<RowContext, 'trusted'>,
): ClaimFacts {
  const { folder, experiment, state, frozen, progress, certificate, problem } = claim;
  const { search, test } = sweepsOfClaim(claim, sweeps);
  const byId = new Map(runs.map((run) => [run.id, run]));
  const runOf = (id: string | undefined) => (id === undefined ? undefined : byId.get(id));
  const labels = certificate?.methods.map(({ label }) => label) ?? progress?.labels ?? [];
  const now = test ?? search;
  const searched = certificate?.methods ?? progress?.searched ?? [];
  return {
    folder,
    experiment: experimentName(experiment),
    name: basename(folder),
    state,
    sentence: claimTitle(claim),
    ...(problem !== undefined && { problem }),
    ...(state !== 'running' && progress?.error && { error: progress.error }),
    ...(frozen && { frozen }),
    labels,
    ...(certificate && { certificate }),
    ...(progress?.cost && { cost: progress.cost }),
    search:
      searched.length > 0
        ? [...searched]
        : frozen && search
          ? searchSoFar(frozen.claim, labels, search.record.trials, runOf)
          : [],
    looks: certificate?.looks ?? progress?.looks ?? [],
    ...(now && !certificate && { phase: phaseFacts(now, test ? 'test' : 'search', runOf) }),
    tests: certificate
      ? certifiedTests(certificate, runOf)
      : frozen && test
        ? testsSoFar(frozen.claim, test, runOf)
        : [],
    canContinue: trusted && canContinue(claim),
    canCheck: trusted && certificate !== undefined && state === 'closed',
  };
}

type RunOf = (id: string | undefined) => RunEntry | undefined;

/** The index of the method that a trial belongs to, and its searched values; undefined if it belongs to none. */
function methodOf(claim: Claim, settings: Settings): { method: number; values: Settings } | undefined {
  const own: Settings = {};
  const values: Settings = {};
  for (const [key, value] of Object.entries(settings)) {
    if (Object.hasOwn(claim.search.parameters, key)) values[key] = value;
    else if (key !== SEED) own[key] = value;
  }
  const text = sortedJson(own);
  const method = claim.methods.findIndex((one) => sortedJson(one) === text);
  return method < 0 ? undefined : { method, values };
}

/** The search of each method as far as its trials are: the mean of values once all their seeds have ended. */
function searchSoFar(
  claim: Claim,
  labels: readonly string[],
  trials: readonly TrialRecord[],
  runOf: RunOf,
): SearchSoFar[] {
  const found = claim.methods.map(
    () => new Map<string, { values: Settings; all: (MetricValue | undefined)[] }>(),
  );
  for (const trial of trials) {
    const of = trial.planned ? methodOf(claim, trial.settings) : undefined;
    if (!of) continue;
    const key = sortedJson(of.values);
    const tried = found[of.method].get(key) ?? { values: of.values, all: [] };
    tried.all.push(resultOf(claim, runOf(trial.run)));
    found[of.method].set(key, tried);
  }
  return found.map((tried, i) => ({
    label: labels[i] ?? `${i + 1}`,
    tried: [...tried.values()].map(({ values, all }) => {
      const mean = meanSoFar(all);
      return { values, ...(mean !== undefined && { mean }) };
    }),
  }));
}

/** The metric of a trial of the search at its last evaluation; undefined until it has ended. */
function resultOf({ metric }: Claim, entry: RunEntry | undefined): MetricValue | undefined {
  const run = entry?.run;
  if (!run || (entry.state !== 'finished' && entry.state !== 'failed')) return undefined;
  const last = run.events.findLast((e) => e.kind === 'evaluation');
  if (hasDiverged(run)) return 'diverged';
  return entry.state === 'finished' && last ? metricValue(last.metrics, metric) : undefined;
}

function meanSoFar(all: readonly (MetricValue | undefined)[]): MetricValue | undefined {
  if (all.some((value) => value === undefined)) return undefined;
  return all.includes('diverged') ? 'diverged' : meanOf(all as number[]);
}

function phaseFacts(
  { record, state, numbers }: SweepEntry,
  phase: 'search' | 'test',
  runOf: RunOf,
): ClaimPhaseFacts {
  const { room, metric, trials } = record;
  return {
    phase,
    state,
    ...(room && { parallel: room.parallel }),
    trials: trials.map((trial) => {
      const entry = runOf(trial.run);
      const name = trialLabel({ numbers }, trial, entry);
      // Its curve and its commands are on the page of the sweep.
      return { ...pageTrial(trial, trial.settings, { name }, entry, { metric, can: [] }), improved: [] };
    }),
  };
}

function testsSoFar(claim: Claim, { record, numbers }: SweepEntry, runOf: RunOf): TestRow[] {
  return record.trials.flatMap((trial): TestRow[] => {
    const of = trial.planned ? methodOf(claim, trial.settings) : undefined;
    if (!of) return [];
    const entry = runOf(trial.run);
    const name = trialLabel({ numbers }, trial, entry);
    const { state } = pageTrial(trial, trial.settings, { name }, entry, { metric: record.metric, can: [] });
    return [
      {
        ...{ method: of.method, seed: Number(trial.settings[SEED]), name, state },
        ...(entry && { run: entry.folder }),
        results: {},
      },
    ];
  });
}

/** The runs of a certificate's test: only those of this experiment can be opened. */
function certifiedTests({ runs, leftOut }: Certificate, runOf: RunOf): TestRow[] {
  const row = ({ run, method, seed }: Pick<Certificate['leftOut'][number], 'run' | 'method' | 'seed'>) => {
    const entry = runOf(run);
    const name = entry ? runLabel(entry) : labelOfId(run);
    return { method, seed, name, ...(entry && { run: entry.folder }) };
  };
  return [
    ...runs.flatMap((one): TestRow[] => {
      if (one.phase !== 'test') return [];
      const values = Object.entries(one.results).map(([form, { value }]) => [form, value] as const);
      return [{ ...row(one), state: 'finished', results: Object.fromEntries(values) }];
    }),
    ...leftOut.flatMap((one): TestRow[] =>
      one.phase === 'test' ? [{ ...row(one), state: 'diverged', results: {} }] : [],
    ),
  ].sort((a, b) => a.seed - b.seed || a.method - b.method);
}
