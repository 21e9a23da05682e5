import { readdirSync, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { diskError } from '../files/atomic';
import { makeFolders } from '../files/folder';
import { readIfThere, readIfThereSync } from '../files/read';

/**
 * Each run of an experiment has a number that never changes: #12. `.aurora/numbers/<experiment>/12` holds the name of the
 * run's folder. A file is created only if there is none of that name, which every file system decides for exactly one
 * process, and no file is ever removed. So two trainers, or a queue that names runs of a cluster, cannot give a number twice, and
 * no number is given again after its run was deleted. A copied folder has another name, and so no number until it gets
 * the next one (`numberOthers`).
 */
export type RunNumbers = ReadonlyMap<string, number>;

/** More runs of one experiment have no numbers. */
const MOST = 999_999;
/** Folder names are shorter; anything else is not ours. */
const LONGEST = 300;

/** The folder of an experiment's numbers; undefined for runs elsewhere (`--out`), which have none. */
function numbersFolder(runs: string): string | undefined {
  const home = dirname(runs);
  const inPlace = basename(home) === 'runs' && basename(dirname(home)) === '.aurora';
  return inPlace ? join(dirname(home), 'numbers', basename(runs)) : undefined;
}

/** The last number that this process gave, so that thousands of trials need not list the folder each time. */
const last = new Map<string, number>();

/**
 * Gives a run that has none the next number. Its folder need not exist yet.
 *
 * @returns undefined for a run outside an experiment's folder
 * @throws AuroraError 'disk' if it cannot be written
 */
export function giveNumber(run: string): number | undefined {
  const folder = numbersFolder(dirname(run));
  if (folder === undefined) return undefined;
  let next = last.get(folder) ?? highest(folder);
  // Without any number, the folder is new or was lost: older runs come first.
  if (next === 0) {
    numberOthers(dirname(run), basename(run));
    next = highest(folder);
  }
  return take(folder, next + 1, basename(run));
}

/**
 * Gives the runs of an experiment that have no number the next ones, in the order of their names: copied folders, and those
 * brought from elsewhere.
 *
 * @param runs the folder that they are in
 * @param except the name of a run that gets its number elsewhere
 */
export function numberOthers(runs: string, except?: string): void {
  const folder = numbersFolder(runs);
  if (folder === undefined) return;
  const known = runNumbers(runs);
  const others = namesIn(runs).filter((name) => name !== except && !known.has(name) && !/\p{Cc}/u.test(name));
  let next = Math.max(0, ...known.values());
  for (const name of others) next = take(folder, next + 1, name) ?? next;
}

/** The numbers of an experiment's runs by folder name. Files that cannot be read count as missing. */
export const runNumbers = (runs: string): RunNumbers => new NumberReader(runs).lookNow();

/** Follows the numbers of an experiment's runs: each file is read once, since none changes. */
export class NumberReader {
  private readonly folder: string | undefined;
  private readonly names = new Map<string, number>();
  private readonly read = new Set<string>();
  private time = NaN;

  constructor(
    runs: string,
    private readonly now: () => number = Date.now,
  ) {
    this.folder = numbersFolder(runs);
  }

  /** The numbers that the last look found. */
  get known(): RunNumbers {
    return this.names;
  }

  /** Without blocking. */
  async look(): Promise<RunNumbers> {
    const { folder } = this;
    if (folder === undefined) return this.names;
    try {
      const { mtimeMs } = await stat(folder);
      if (mtimeMs === this.time && this.now() - mtimeMs > UNSETTLED_MS) return this.names;
      const fresh = (await readdir(folder)).filter((name) => NUMBER.test(name) && !this.read.has(name));
      for (const name of fresh.sort((a, b) => Number(a) - Number(b)))
        await this.take(join(folder, name), name);
      this.time = mtimeMs;
    } catch {
      // No run has a number yet.
    }
    return this.names;
  }

  /** For programs that may block. */
  lookNow(): RunNumbers {
    const { folder } = this;
    const fresh = folder === undefined ? [] : numbersIn(folder).filter((n) => !this.read.has(String(n)));
    for (const number of fresh) {
      const path = join(folder!, String(number));
      try {
        this.remember(readIfThereSync(path, LONGEST)?.toString('utf8') ?? '', number);
      } catch {
        continue;
      }
    }
    return this.names;
  }

  private async take(path: string, name: string): Promise<void> {
    const bytes = await readIfThere(path, LONGEST).catch(() => undefined);
    this.remember(bytes?.toString('utf8') ?? '', Number(name));
  }

  /** The first number of a run counts, if two processes numbered the same copy. */
  private remember(text: string, number: number): void {
    // Its writer may not have come that far.
    if (!text.endsWith('\n')) return;
    this.read.add(String(number));
    const name = text.trimEnd();
    if (name !== '') this.names.set(name, Math.min(number, this.names.get(name) ?? number));
  }
}

const NUMBER = /^[1-9]\d{0,5}$/;
/** If the folder changed this recently, another change may have the same time stamp. */
const UNSETTLED_MS = 2000;

/** The first free number from `from` on. */
function take(folder: string, from: number, name: string): number | undefined {
  for (let number = from; number <= MOST; number++) {
    const path = join(folder, String(number));
    try {
      makeFolders(folder);
      writeFileSync(path, `${name}\n`, { flag: 'wx', flush: true });
      last.set(folder, number);
      return number;
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'EEXIST') throw diskError(path, e);
    }
  }
  return undefined;
}

const highest = (folder: string): number => Math.max(0, ...numbersIn(folder));

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => NUMBER.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

function namesIn(runs: string): string[] {
  try {
    return readdirSync(runs, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}
