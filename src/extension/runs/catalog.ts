import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { experimentRuns } from '../../runs/layout';
import { eachLimited } from './each-limited';
import type { RunEntry } from './store';
import { experimentOf, TrackedRun } from './tracked-run';

/** Folders looked at at the same time: enough to keep a slow disk busy, few enough to leave it to others. */
const CONCURRENCY = 32;

export interface CatalogExperiment {
  file: string;
  /** False where only runs are left of it. */
  exists: boolean;
  /** Newest first. */
  runs: RunEntry[];
}

/** What a look found: runs that changed, and whether experiments or runs came or went. */
export interface Changes {
  runs: RunEntry[];
  structure: boolean;
}

/**
 * The experiments of some places and their runs, as they are on the disk. Knows nothing of VS Code. Runs of
 * experiments whose file is gone are found beside the other experiments and in the roots.
 */
export class Catalog {
  private files = new Set<string>();
  private roots: readonly string[] = [];
  private readonly runs = new Map<string, TrackedRun>();
  /** Names of run folders, newest first, by experiment file. */
  private readonly ids = new Map<string, string[]>();

  constructor(private readonly now: () => number = Date.now) {}

  /** Which experiment files are known, and the folders where runs without one are looked for. */
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
      runs: ids.flatMap((id) => this.runs.get(join(experimentRuns(file), id))?.entry ?? []),
    }));
  }

  /** Runs that lie in none of the places, but were looked at. */
  get elsewhere(): RunEntry[] {
    const placed = new Set(this.experiments().flatMap((e) => e.runs.map((r) => r.folder)));
    return [...this.runs.values()].flatMap(({ entry }) =>
      entry && !placed.has(entry.folder) ? [entry] : [],
    );
  }

  run(folder: string): RunEntry | undefined {
    return this.runs.get(folder)?.entry;
  }

  /** Whether any run is being worked on. */
  get active(): boolean {
    return [...this.runs.values()].some((r) => r.active);
  }

  /** Looks at all places: for new and vanished experiments and runs, and for runs that changed. */
  async look(): Promise<Changes> {
    const before = this.shape();
    for (const [file, ids] of await this.list()) this.ids.set(file, ids);
    const listed = new Set([...this.ids].flatMap(([f, ids]) => ids.map((id) => join(experimentRuns(f), id))));
    for (const folder of listed) if (!this.runs.has(folder)) this.track(folder);
    const changed = await this.glance([...this.runs.values()]);
    for (const [folder, run] of this.runs) if (!run.entry) this.runs.delete(folder);
    return { runs: changed, structure: before !== this.shape() };
  }

  /** Looks only at the runs that are being worked on. */
  async lookAtActive(): Promise<Changes> {
    return { runs: await this.glance([...this.runs.values()].filter((r) => r.active)), structure: false };
  }

  /** Looks at one run, wherever it lies; from then on it is looked at like the others. */
  async lookAt(folder: string): Promise<Changes> {
    const run = this.runs.get(folder) ?? this.track(folder);
    const was = run.entry !== undefined;
    const changed = await run.look();
    if (!run.entry) this.runs.delete(folder);
    else this.place(folder);
    return { runs: changed && run.entry ? [run.entry] : [], structure: was !== (run.entry !== undefined) };
  }

  private track(folder: string): TrackedRun {
    const run = new TrackedRun(folder, this.now);
    this.runs.set(folder, run);
    return run;
  }

  /** Puts a run that was just made into the list of its experiment, where that is one of these places. */
  private place(folder: string): void {
    const file = experimentOf(folder);
    const known = this.files.has(file) || this.roots.includes(dirname(file));
    if (!known || dirname(folder) !== experimentRuns(file)) return;
    const ids = new Set(this.ids.get(file)).add(basename(folder));
    this.ids.set(file, [...ids].sort().reverse());
  }

  private async glance(runs: readonly TrackedRun[]): Promise<RunEntry[]> {
    const changed: RunEntry[] = [];
    await eachLimited(runs, CONCURRENCY, async (run) => {
      if ((await run.glance()) && run.entry) changed.push(run.entry);
    });
    return changed;
  }

  /** The names of run folders by experiment file, as the disk has them; forgets what is gone. */
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

  /** Changes when an experiment or a run comes or goes. */
  private shape(): string {
    return this.experiments()
      .map((e) => `${e.file}\0${e.exists}\0${e.runs.map((r) => r.id).join('\0')}`)
      .sort()
      .join('\n');
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (e) {
    // One that cannot be looked at just now is not gone.
    return (e as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/** Names of the folders in a folder; none where there is no such folder or it cannot be read. */
async function folderNames(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((e) => e.isDirectory() && !e.name.startsWith('.')).map((e) => e.name);
  } catch {
    return [];
  }
}
