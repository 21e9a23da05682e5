import { basename } from 'node:path';
import { isActiveHere } from '../runs/shown-state';
import type { ClaimEntry, RunEntry, RunStore, SweepEntry } from '../runs/store';
import { claimOfSweep, claimSweepFolder } from '../../runs/claim-folder';
import { placeOfClaim } from '../words/claim-row';

/** The work that trains on this machine, or is about to. */
export interface InProgress {
  /** Without the trials of running sweeps and claims. */
  runs: RunEntry[];
  /** Without those of running claims. */
  sweeps: SweepEntry[];
  claims: ClaimEntry[];
  /** Names of experiments whose runs this window is starting. */
  starting: string[];
}

const starting = new Set<{ name: string }>();

/** Counts a run as in progress from the moment the user asks for it: its folder appears seconds later. */
export async function whileStarting<T>(name: string, action: () => PromiseLike<T>): Promise<T> {
  const entry = { name };
  starting.add(entry);
  try {
    return await action();
  } finally {
    starting.delete(entry);
  }
}

export async function inProgress(store: Pick<RunStore, 'experiments' | 'runs'>): Promise<InProgress> {
  const experiments = await store.experiments();
  const claims = experiments.flatMap(({ claims, sweeps }) =>
    claims.filter((c) => c.state === 'running' && (placeOfClaim(c, sweeps) ?? 'local') === 'local'),
  );
  const isClaims = (sweep: string) => claims.some(({ folder }) => folder === claimOfSweep(sweep)?.claim);
  const sweeps = experiments
    .flatMap((e) => e.sweeps)
    .filter((s) => s.state === 'running' && s.record.on === undefined && !isClaims(s.folder));
  const ofClaims = claims.flatMap(({ folder }) =>
    (['search', 'test'] as const).map((phase) => claimSweepFolder(folder, phase)),
  );
  const running = new Set([...sweeps.map((s) => s.folder), ...ofClaims].map((folder) => basename(folder)));
  const runs = (await store.runs()).filter((r) => isActiveHere(r) && !running.has(r.trial?.sweep ?? ''));
  return { runs, sweeps, claims, starting: [...starting].map((s) => s.name) };
}

export const isIdle = ({ runs, sweeps, claims, starting }: InProgress): boolean =>
  runs.length + sweeps.length + claims.length + starting.length === 0;
