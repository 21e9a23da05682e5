import { basename } from 'node:path';
import { isActiveHere } from '../runs/shown-state';
import type { RunEntry, RunStore, SweepEntry } from '../runs/store';

/** The work that trains on this machine, or is about to. */
export interface InProgress {
  /** Without the trials of running sweeps. */
  runs: RunEntry[];
  sweeps: SweepEntry[];
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
  const all = (await store.experiments()).flatMap((e) => e.sweeps);
  const sweeps = all.filter((s) => s.state === 'running' && s.record.on === undefined);
  const running = new Set(sweeps.map((s) => basename(s.folder)));
  const runs = (await store.runs()).filter((r) => isActiveHere(r) && !running.has(r.trial?.sweep ?? ''));
  return { runs, sweeps, starting: [...starting].map((s) => s.name) };
}

export const isIdle = ({ runs, sweeps, starting }: InProgress): boolean =>
  runs.length + sweeps.length + starting.length === 0;
