import { basename } from 'node:path';
import { AuroraError } from '../../base/errors';
import { sortedJson } from '../../base/sorted-json';
import { combinations } from '../../experiment/claim';
import type { Settings } from '../../experiment/sweep';
import { claimSweep, type PlannedClaim, trialSettings } from '../../runs/experiment/claim-trials';
import { type ClaimPhase, claimSweepFolder } from '../../runs/claim-folder';
import type { Sweep } from '../../runs/experiment/sweep-trials';
import { readRunSummary } from '../../runs/run-summary';
import type { TrialView } from '../../runs/sweep/look';
import type {
  Certificate,
  CertifiedRun,
  ClaimLine,
  LeftOutRun,
  Look,
  MethodResult,
} from '../../study/claim/certificate';
import { claimSentence, methodLabels } from '../../study/claim/claim-words';
import type { SweepOutcome } from '../sweep-queue';
import type { Frozen } from './freeze';
import { closing, lookAt, testedForms, type TestedMethod } from './looks';
import { extendedSpace, searched, searchSpace } from './search';
import { resultOf, searchedValue, sumsOf, testedResults } from './tested';

/** The parts of a claim's work that its command does. */
export interface ClaimHost {
  /** Trains the trials of a phase that have not been trained yet. */
  train(phase: ClaimPhase, sweep: Sweep): Promise<SweepOutcome>;
  emit(line: ClaimLine): Promise<void>;
  /** True once it is to stop. */
  interrupted(): boolean;
}

/** The results of the search. */
interface Found {
  methods: MethodResult[];
  runs: CertifiedRun[];
  leftOut: LeftOutRun[];
}

/**
 * Searches, tests and closes a claim. All state is in its sweeps: whenever it is killed, the same call continues.
 *
 * @returns undefined if it was stopped
 * @throws AuroraError 'diverged' if every trial of a method's search diverged, 'failed' if trials failed
 */
export async function workOnClaim(
  plan: PlannedClaim,
  frozen: Frozen,
  host: ClaimHost,
): Promise<Certificate | undefined> {
  const found = await search(plan, frozen, host);
  return found && test(plan, frozen, host, found);
}

async function search(plan: PlannedClaim, frozen: Frozen, host: ClaimHost): Promise<Found | undefined> {
  const { claim, specs } = plan;
  const { metric, methods } = claim;
  const name = basename(claimSweepFolder(frozen.folder, 'search'));
  const { search: seeds } = frozen.seeds;
  const sweepOf = (all: readonly Settings[]) => claimSweep(plan, 'search', name, all);
  const labels = methodLabels(specs);
  for (let space = searchSpace(claim), round = 0; ; round++) {
    const values = combinations(space.parameters);
    const all = methods.flatMap((method) =>
      values.flatMap((chosen) => seeds.map((seed) => trialSettings(method, chosen, seed))),
    );
    await host.emit({ kind: 'phase', phase: 'search', round });
    const trials = await trained(host, 'search', sweepOf(all)!);
    if (!trials) return undefined;
    const value = (settings: Settings) => {
      const { state, folder } = trials.of(settings);
      return state === 'failed'
        ? ('diverged' as const)
        : searchedValue(readRunSummary(folder!), metric).value;
    };
    const results = methods.map((method) =>
      searched(claim, space, (chosen, i) => value(trialSettings(method, chosen, seeds[i]!))),
    );
    const chosen = results.map(({ chosen }, i) => {
      if (chosen) return chosen;
      throw new AuroraError(
        'diverged',
        `Every trial of ${labels[i]} diverged in the search, so there is nothing to test.`,
        'Search lower learning rates: claim.search.parameters.',
      );
    });
    const allows = (key: string, number: number) =>
      sweepOf(methods.map((method, i) => trialSettings(method, { ...chosen[i], [key]: number }, 0))) !==
      undefined;
    const next = extendedSpace(claim, space, chosen, allows);
    if (next) {
      space = next;
      continue;
    }
    const found: Found = { methods: [], runs: [], leftOut: [] };
    for (const [method, settings] of methods.entries()) {
      const { tried } = results[method]!;
      const label = labels[method]!;
      await host.emit({ kind: 'searched', method, label, tried, chosen: chosen[method]! });
      found.methods.push({ label, parameters: 0, tried, chosen: chosen[method]! });
      for (const values of combinations(space.parameters))
        for (const seed of seeds) {
          const { folder, record } = trials.of(trialSettings(settings, values, seed));
          const at = { phase: 'search' as const, method, values, seed, run: record.run! };
          const run = readRunSummary(folder!);
          const { step, value } = searchedValue(run, metric);
          if (value === 'diverged') found.leftOut.push({ ...at, why: 'diverged' });
          else {
            const result = resultOf({
              value,
              examples: run.events.findLast((e) => e.kind === 'evaluation')!.metrics.examples,
            });
            found.runs.push({ ...at, step, ...(await sumsOf(run, step)), results: { trained: result } });
          }
        }
    }
    return found;
  }
}

async function test(
  plan: PlannedClaim,
  frozen: Frozen,
  host: ClaimHost,
  { methods, runs, leftOut }: Found,
): Promise<Certificate | undefined> {
  const { claim } = plan;
  const name = basename(claimSweepFolder(frozen.folder, 'test'));
  const tested: TestedMethod[] = claim.methods.map(() => new Map());
  const looks: Look[] = [];
  const forms = testedForms(claim);
  for (const look of frozen.frozen.looks) {
    const seeds = frozen.seeds.test.slice(0, look.seeds);
    const settingsOf = (method: number, seed: number) =>
      trialSettings(claim.methods[method]!, methods[method]!.chosen, seed);
    const all = seeds.flatMap((seed) => claim.methods.map((_, method) => settingsOf(method, seed)));
    await host.emit({ kind: 'phase', phase: 'test', seeds: look.seeds });
    const trials = await trained(host, 'test', claimSweep(plan, 'test', name, all)!);
    if (!trials) return undefined;
    let done = 0;
    for (const seed of seeds)
      for (const [method, { chosen: values }] of methods.entries()) {
        const { folder, record } = trials.of(settingsOf(method, seed));
        await host.emit({ kind: 'measuring', run: record.run!, done: done++, of: all.length });
        if (tested[method]!.has(seed)) continue;
        if (host.interrupted()) return undefined;
        const at = { phase: 'test' as const, method, values, seed, run: record.run! };
        const found = await testedResults(folder!, claim, forms[method]!);
        tested[method]!.set(seed, found === 'diverged' ? found : found.results);
        if (found === 'diverged') leftOut.push({ ...at, why: 'diverged' });
        else {
          const { step, sums, results } = found;
          const sealed = Object.entries(results).map(([form, result]) => [form, resultOf(result)]);
          runs.push({ ...at, step, ...sums, results: Object.fromEntries(sealed) as CertifiedRun['results'] });
          methods[method]!.parameters = trainedParameters(folder!);
        }
      }
    looks.push(lookAt(claim, tested, seeds, look));
    await host.emit({ kind: 'look', look: looks.at(-1)! });
    if (looks.at(-1)!.verdict !== 'open') break;
  }
  const { hash, frozen: fixed, seeds } = frozen;
  return {
    version: 1,
    sentence: claimSentence(claim, plan.specs),
    hash,
    frozen: fixed,
    seeds,
    methods,
    runs,
    looks,
    ...closing(claim, tested, looks),
    leftOut,
  };
}

function trainedParameters(folder: string): number {
  const started = readRunSummary(folder).events.find((e) => e.kind === 'started');
  return started?.kind === 'started' ? started.trainable : 0;
}

/** The trials of a sweep once they have been trained; undefined if it was stopped. */
async function trained(
  host: ClaimHost,
  phase: ClaimPhase,
  sweep: Sweep,
): Promise<{ of: (settings: Settings) => TrialView } | undefined> {
  const { stopped, trials } = await host.train(phase, sweep);
  if (stopped) return undefined;
  const planned = trials.filter((t) => t.record.planned);
  const failed = planned.filter((t) => t.state === 'failed' && !t.diverged);
  if (failed.length > 0)
    throw new AuroraError(
      'failed',
      `${failed.length} of ${planned.length} trials of the claim failed: ${failed[0]!.error?.message ?? 'the trainer left no message'}`,
      'Correct the cause, and continue the claim: failed trials are trained again.',
    );
  const bySettings = new Map(planned.map((t) => [sortedJson(t.record.settings), t]));
  return { of: (settings) => bySettings.get(sortedJson(settings))! };
}
