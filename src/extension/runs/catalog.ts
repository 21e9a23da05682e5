import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { own } from '../../base/names';
import { claimSweepFolder } from '../../runs/claim-folder';
import { experimentClaims, experimentOf, experimentRuns, experimentSweeps } from '../../runs/layout';
import { KeptBytes, TrackedRun } from './tracked-run';
import { distinctNames } from '../../runs/run-labels';
import { NumberReader } from '../../runs/numbers';
import { QUICK } from '../../runs/run-files';
import { eachLimited, readQuickly } from './read-quickly';
import type { ClaimEntry, RunEntry, SweepEntry } from './store';
import { TrackedClaim } from './tracked-claim';
import { Sections, TrackedSweep } from './tracked-sweep';

/** Folders read in parallel: enough to keep a slow disk busy, few enough to leave the disk usable for others. */
const CONCURRENCY = 32;
/** The time for which work on all runs may keep the host busy before other work gets its turn. */
const SLICE_MS = 8;

export interface CatalogExperiment {
  file: string;
  /** False if only its runs are left. */
  exists: boolean;
  /** Newest first. */
  runs: RunEntry[];
  /** Newest first. */
  sweeps: SweepEntry[];
  /** Newest first. */
  claims: ClaimEntry[];
  /** True if its file has a `sweep` section. */
  hasSweep: boolean;
  /** True if its file has a `claim` section. */
  hasClaim: boolean;
}

/**
 * The result of a scan: runs that changed, and whether experiments, sweeps or runs appeared, disappeared or, for
 * sweeps, changed.
 */
export interface Changes {
  runs: RunEntry[];
  structure: boolean;
}

/**
 * The experiments in some places and their runs, as on disk. Independent of VS Code. Runs whose experiment file is gone
 * are found beside the other experiments and in the roots.
 */
export class Catalog {
  private files = new Set<string>();
  private roots: readonly string[] = [];
  private readonly runs = new Map<string, TrackedRun>();
  /** Names of run folders, newest first, by experiment file. */
  private readonly ids = new Map<string, string[]>();
  /** The runs that had a name when they were last named, by experiment file: names change only with them. */
  private readonly named = new Map<string, string>();
  /** By experiment file. */
  private readonly numbers = new Map<string, NumberReader>();
  private readonly sweeps = new Map<string, TrackedSweep>();
  private readonly claims = new Map<string, TrackedClaim>();
  private readonly sections = new Sections();

  constructor(
    private readonly now: () => number = Date.now,
    private readonly kept = new KeptBytes(),
  ) {}

  /** Sets the known experiment files, and the folders to search for runs without one. */
  setPlaces(files: Iterable<string>, roots: readonly string[]): void {
    this.files = new Set(files);
    this.roots = roots;
  }

  has(file: string): boolean {
    return this.files.has(file);
  }

  addFile(file: string): void {
    this.files.add(file);
  }

  removeFile(file: string): void {
    this.files.delete(file);
  }

  experiments(): CatalogExperiment[] {
    return [...this.ids].map(([file, ids]) => ({
      file,
      exists: this.files.has(file),
      runs: this.foldersOf(file, ids).flatMap((folder) => this.runs.get(folder)?.entry ?? []),
      sweeps: this.sweepsOf(file),
      claims: this.claimsOf(file),
      hasSweep: this.sections.has(file, 'sweep'),
      hasClaim: this.sections.has(file, 'claim'),
    }));
  }

  /** Called for thousands of runs several times a second while they are read. */
  private foldersOf(file: string, ids = this.ids.get(file) ?? []): string[] {
    const runs = `${experimentRuns(file)}${sep}`;
    return ids.map((id) => runs + id);
  }

  /** Runs outside the known places that were opened. */
  get elsewhere(): RunEntry[] {
    const placed = new Set(this.experiments().flatMap((e) => e.runs.map((r) => r.folder)));
    return [...this.runs.values()].flatMap(({ entry }) =>
      entry && !placed.has(entry.folder) ? [entry] : [],
    );
  }

  run(folder: string): RunEntry | undefined {
    return this.runs.get(folder)?.entry;
  }

  /** True if any run is active. */
  get active(): boolean {
    return [...this.runs.values(), ...this.sweeps.values(), ...this.claims.values()].some((r) => r.active);
  }

  /** Newest first: by the begin of the search. */
  private claimsOf(file: string): ClaimEntry[] {
    const folder = experimentClaims(file);
    const begun = ({ folder }: ClaimEntry) =>
      this.sweeps.get(claimSweepFolder(folder, 'search'))?.entry?.record.begun ?? 0;
    return [...this.claims.values()]
      .flatMap(({ entry }) => (entry && dirname(entry.folder) === folder ? [entry] : []))
      .sort((a, b) => begun(b) - begun(a));
  }

  private sweepsOf(file: string): SweepEntry[] {
    const folder = experimentSweeps(file);
    return [...this.sweeps.values()]
      .flatMap(({ entry }) => (entry && dirname(entry.folder) === folder ? [entry] : []))
      .sort((a, b) => b.record.begun - a.record.begun);
  }

  /**
   * Scans all places: for new and removed experiments and runs, and for runs that changed.
   *
   * @param onRead called now and then while new runs are read: `experiments` has them
   */
  async look(onRead: () => void = () => undefined): Promise<Changes> {
    const before = this.shape();
    for (const [file, ids] of await this.list()) this.ids.set(file, ids);
    const listed = new Set([...this.ids.keys()].flatMap((file) => this.foldersOf(file)));
    for (const folder of listed) if (!this.runs.has(folder)) this.track(folder);
    const fresh = await this.readFirst(onRead);
    const others = [...this.runs.values()].filter((r) => !r.entry || !fresh.has(r.entry));
    const changed = [...fresh, ...(await this.glance(others, onRead))];
    for (const run of this.runs.values()) if (!run.entry) this.untrack(run);
    const sweeps = await this.lookAtSweeps();
    const scheduled = await this.scheduleRuns();
    const numbered = await this.numberRuns([...this.ids.keys()]);
    const counted = this.numberSweeps();
    const renamed = this.nameRuns([...this.ids.keys()]);
    return {
      runs: this.current([...changed, ...scheduled, ...numbered, ...renamed]),
      structure: sweeps || counted || before !== this.shape(),
    };
  }

  /** Checks only active runs. */
  async lookAtActive(): Promise<Changes> {
    const runs = await this.glance([...this.runs.values()].filter((r) => r.active));
    const sweeps = [...this.sweeps.values(), ...this.claims.values()].filter((s) => s.active);
    // A queue reports when it starts a trial; the run appears a moment later.
    const changed = await Promise.all(sweeps.map((s) => s.look()));
    return changed.includes(true) ? { ...(await this.look()), structure: true } : { runs, structure: false };
  }

  /** Looks at the sweeps and the claims; true if any changed. */
  private async lookAtSweeps(): Promise<boolean> {
    const sweeps: string[] = [];
    const claims: string[] = [];
    await eachLimited([...this.ids.keys()], CONCURRENCY, async (file) => {
      await this.sections.look(file);
      for (const id of await folderNames(experimentSweeps(file)))
        sweeps.push(join(experimentSweeps(file), id));
      for (const id of await folderNames(experimentClaims(file)))
        claims.push(join(experimentClaims(file), id));
    });
    const ofSweeps = await lookAtFolders(this.sweeps, sweeps, (folder) => new TrackedSweep(folder, this.now));
    const ofClaims = await lookAtFolders(this.claims, claims, (folder) => new TrackedClaim(folder, this.now));
    return ofSweeps || ofClaims;
  }

  /** Passes the scheduler's states to the runs of sweeps on a cluster; returns those whose entries changed. */
  private async scheduleRuns(): Promise<RunEntry[]> {
    const changed: RunEntry[] = [];
    const pause = pauses();
    for (const { entry, folder } of this.sweeps.values()) {
      if (!entry?.cluster) continue;
      const { executor, keepsCheckpoints, trials } = entry.cluster;
      const cluster = { executor, keepsCheckpoints };
      const runs = `${experimentRuns(entry.experiment)}${sep}`;
      const sweep = basename(folder);
      for (const { id, run } of entry.record.trials) {
        await pause();
        const tracked = run === undefined ? undefined : this.runs.get(runs + run);
        // A run that was restored or copied may belong to another sweep of this name.
        if (tracked?.entry?.trial?.sweep !== sweep) continue;
        if (tracked.schedule(cluster, own(trials, id))) changed.push(tracked.entry);
      }
    }
    return changed;
  }

  /** Reads one run, wherever it is; from then on it is scanned like the others. */
  async lookAt(folder: string): Promise<Changes> {
    const run = this.runs.get(folder) ?? this.track(folder);
    const was = run.entry !== undefined;
    const changed = await run.look();
    if (!run.entry) this.untrack(run);
    else this.place(folder);
    const numbered = await this.numberRuns([experimentOf(folder)]);
    const renamed = this.nameRuns([experimentOf(folder)]);
    const news = [...(changed && run.entry ? [run.entry] : []), ...numbered, ...renamed];
    return { runs: this.current(news), structure: was !== (run.entry !== undefined) };
  }

  /** Passes runs their numbers; returns those whose entries changed. */
  private async numberRuns(files: readonly string[]): Promise<RunEntry[]> {
    const changed: RunEntry[] = [];
    for (const file of files) {
      let reader = this.numbers.get(file);
      if (!reader) this.numbers.set(file, (reader = new NumberReader(experimentRuns(file), this.now)));
      const numbers = await reader.look();
      for (const folder of this.foldersOf(file)) {
        const tracked = this.runs.get(folder);
        if (tracked?.count(numbers.get(basename(folder))) === true) changed.push(tracked.entry!);
      }
    }
    return changed;
  }

  /** Passes sweeps the numbers of their trials' runs; true if an entry changed. */
  private numberSweeps(): boolean {
    let changed = false;
    for (const sweep of this.sweeps.values()) {
      const numbers = sweep.entry && this.numbers.get(sweep.entry.experiment)?.known;
      if (numbers && sweep.count(numbers)) changed = true;
    }
    return changed;
  }

  /** Names the runs of experiments where some appeared or disappeared; returns those whose names changed. */
  private nameRuns(files: readonly string[]): RunEntry[] {
    return files.flatMap((file) => {
      const runs = this.foldersOf(file).flatMap((folder) => {
        const tracked = this.runs.get(folder);
        const entry = tracked?.entry;
        return tracked && entry?.run && !entry.trial ? [{ ...entry, spec: entry.run.spec, tracked }] : [];
      });
      const ids = runs.map((r) => `${r.id} ${r.number}`).join();
      if (ids === this.named.get(file)) return [];
      this.named.set(file, ids);
      const names = distinctNames(runs);
      return runs.flatMap(({ tracked }, i) => (tracked.rename(names[i]) ? [tracked.entry!] : []));
    });
  }

  /** Each once, as it is now. */
  private current(runs: readonly RunEntry[]): RunEntry[] {
    return [...new Set(runs.map((r) => r.folder))].flatMap((folder) => this.run(folder) ?? []);
  }

  private track(folder: string): TrackedRun {
    const run = new TrackedRun(folder, this.now, this.kept);
    this.runs.set(folder, run);
    return run;
  }

  private untrack(run: TrackedRun): void {
    run.forget();
    this.runs.delete(run.folder);
  }

  /** Adds a new run to its experiment's list, if the experiment is in one of these places. */
  private place(folder: string): void {
    const file = experimentOf(folder);
    const known = this.files.has(file) || this.roots.includes(dirname(file));
    if (!known || dirname(folder) !== experimentRuns(file)) return;
    const ids = new Set(this.ids.get(file)).add(basename(folder));
    this.ids.set(file, [...ids].sort().reverse());
  }

  /** Reads runs that have not been read, newest first, in slices, as long as that is fast. */
  private async readFirst(onRead: () => void): Promise<Set<RunEntry>> {
    const read = new Set<RunEntry>();
    const fresh = [...this.runs.values()].filter((r) => !r.entry);
    const readRun = async (run: TrackedRun) => {
      await run.look(QUICK);
      if (run.entry) read.add(run.entry);
    };
    await readQuickly(fresh, readRun, pauses(onRead));
    return read;
  }

  private async glance(runs: readonly TrackedRun[], onRead?: () => void): Promise<RunEntry[]> {
    const changed: RunEntry[] = [];
    await eachLimited(runs, CONCURRENCY, async (run) => {
      if (!(await run.glance()) || !run.entry) return;
      changed.push(run.entry);
      onRead?.();
    });
    return changed;
  }

  /** The names of run folders by experiment file, as on disk; forgets removed ones. */
  private async list(): Promise<Map<string, string[]>> {
    await eachLimited([...this.files], CONCURRENCY, async (file) => {
      if (!(await isFile(file))) this.files.delete(file);
    });
    const places = new Set([...this.roots, ...[...this.files].map((f) => dirname(f))]);
    const experiments = new Set(this.files);
    await eachLimited([...places], CONCURRENCY, async (place) => {
      for (const name of await folderNames(join(place, '.aurora', 'runs')))
        experiments.add(join(place, `${name}.aurora.json`));
    });
    const found = new Map<string, string[]>();
    await eachLimited([...experiments], CONCURRENCY, async (file) => {
      const ids = (await folderNames(experimentRuns(file))).sort().reverse();
      if (ids.length > 0 || this.files.has(file)) found.set(file, ids);
    });
    for (const file of this.ids.keys()) if (!found.has(file)) this.ids.delete(file);
    return found;
  }

  /** Changes when an experiment or a run appears or disappears. */
  private shape(): string {
    return this.experiments()
      .map(
        (e) => `${e.file}\0${e.exists}\0${e.hasSweep}\0${e.hasClaim}\0${e.runs.map((r) => r.id).join('\0')}`,
      )
      .sort()
      .join('\n');
  }
}

/** Looks at what is in these folders, and forgets what is elsewhere; true if anything changed. */
async function lookAtFolders<T extends { look(): Promise<boolean> }>(
  known: Map<string, T>,
  folders: readonly string[],
  track: (folder: string) => T,
): Promise<boolean> {
  for (const folder of folders) if (!known.has(folder)) known.set(folder, track(folder));
  let changed = false;
  for (const folder of known.keys()) if (!folders.includes(folder)) changed = known.delete(folder) || changed;
  await eachLimited([...known.values()], CONCURRENCY, async (one) => {
    changed = (await one.look()) || changed;
  });
  return changed;
}

/**
 * Returns a function that lets other work continue whenever this one has kept the host busy for a while; `before` is
 * called then.
 */
function pauses(before?: () => void): () => Promise<void> {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < SLICE_MS) return;
    before?.();
    await new Promise((resolve) => setImmediate(resolve));
    began = performance.now();
  };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (e) {
    // A folder that cannot be read right now is not removed.
    return (e as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/** Names of the subfolders; empty if the folder does not exist or cannot be read. */
async function folderNames(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((e) => e.isDirectory() && !e.name.startsWith('.')).map((e) => e.name);
  } catch {
    return [];
  }
}
