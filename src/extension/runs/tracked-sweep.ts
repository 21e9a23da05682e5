import { isDeepStrictEqual } from 'node:util';
import { parseJson } from '../../files/json';
import { readIfThere } from '../../files/read';
import type { RunStatus } from '../../protocol/events';
import type { ClusterFile } from '../../protocol/run-files/cluster';
import { experimentOf } from '../../runs/layout';
import type { RunNumbers } from '../../runs/numbers';
import { isAlive } from '../../runs/status';
import { fileVersion } from '../../runs/summary-reader';
import { checkCluster, clusterPath } from '../../runs/sweep/cluster-file';
import { checkSweep, sweepPaths, type SweepRecord } from '../../runs/sweep/record';
import { statusOf } from '../../executors/local/run-status';
import type { SweepEntry } from './store';
import { whyLost } from './tracked-run';

/** A sweep folder that is polled. */
export class TrackedSweep {
  private versions = { sweep: '', status: '', cluster: '' };
  private record: SweepRecord | undefined;
  private cluster: ClusterFile | undefined;
  private status: RunStatus | undefined;
  private numbers: ReadonlyMap<string, number> = new Map();
  /** The source of its last numbers. */
  private numbered: { record?: SweepRecord; size: number } = { size: 0 };
  /** Undefined if the folder contains no readable sweep. */
  entry: SweepEntry | undefined;

  constructor(
    readonly folder: string,
    private readonly now: () => number = Date.now,
  ) {}

  get active(): boolean {
    return this.entry?.state === 'running';
  }

  /** True if the entry changed. */
  async look(): Promise<boolean> {
    const before = this.entry;
    try {
      await this.read();
    } catch {
      // Damaged: its trials are shown as ordinary runs.
      this.record = undefined;
    }
    const { record, status, folder, cluster } = this;
    const said = status?.state === 'running' ? 'lost' : (status?.state ?? 'lost');
    const state = isAlive(status, this.now()) ? 'running' : said;
    const end = state === 'lost' ? await whyLost(folder, status) : undefined;
    const isSame =
      before?.record === record &&
      before?.state === state &&
      before?.cluster === cluster &&
      isDeepStrictEqual(before?.end, end);
    if (!isSame)
      this.entry = record && {
        folder,
        experiment: experimentOf(folder),
        state,
        end,
        record,
        numbers: this.numbers,
        cluster,
      };
    return before !== this.entry;
  }

  /** Passes it the numbers of the experiment's runs; true if the entry changed. */
  count(runs: RunNumbers): boolean {
    const { entry, numbered } = this;
    // No run's number changes, so that more of them are known, or the same.
    if (!entry || (numbered.record === entry.record && numbered.size === runs.size)) return false;
    this.numbered = { record: entry.record, size: runs.size };
    const numbers = numbersOf(entry.record, runs);
    if (JSON.stringify([...numbers]) === JSON.stringify([...this.numbers])) return false;
    this.numbers = numbers;
    this.entry = { ...entry, numbers };
    return true;
  }

  private async read(): Promise<void> {
    const { sweep, status } = sweepPaths(this.folder);
    const cluster = clusterPath(this.folder);
    const now = {
      sweep: await fileVersion(sweep),
      status: await fileVersion(status),
      cluster: await fileVersion(cluster),
    };
    if (now.sweep !== this.versions.sweep) {
      const bytes = await readIfThere(sweep);
      this.record = bytes && checkSweep(sweep, parseJson(sweep, bytes));
    }
    if (now.status !== this.versions.status) this.status = await statusOf(this.folder);
    if (now.cluster !== this.versions.cluster) this.cluster = await readCluster(cluster);
    this.versions = now;
  }
}

const numbersOf = ({ trials }: SweepRecord, runs: RunNumbers): ReadonlyMap<string, number> =>
  new Map(
    trials.flatMap(({ id, run }): [string, number][] => {
      const number = run === undefined ? undefined : runs.get(run);
      return number === undefined ? [] : [[id, number]];
    }),
  );

/** Undefined also for a damaged one: then the trials' folders decide. */
async function readCluster(path: string): Promise<ClusterFile | undefined> {
  try {
    const bytes = await readIfThere(path);
    return bytes && checkCluster(path, parseJson(path, bytes));
  } catch {
    return undefined;
  }
}

/** Finds the sections of experiment files that commands run; a file is read again only when it changed. */
export class Sections {
  private readonly known = new Map<string, { version: string; has: Record<Section, boolean> }>();

  has(file: string, section: Section): boolean {
    return this.known.get(file)?.has[section] ?? false;
  }

  async look(file: string): Promise<void> {
    try {
      const version = await fileVersion(file);
      if (this.known.get(file)?.version === version) return;
      const text = (await readIfThere(file))?.toString('utf8') ?? '';
      // A section in a comment counts, too; the command then reports the missing one. A cluster has the name of a
      // volume claim, which is no section.
      const has = { sweep: /"sweep"\s*:/.test(text), claim: /"claim"\s*:\s*[{/]/.test(text) };
      this.known.set(file, { version, has });
    } catch {
      this.known.delete(file);
    }
  }
}

export type Section = 'sweep' | 'claim';
