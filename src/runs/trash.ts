import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { diskError, writeAtomic } from '../files/atomic';
import { moveFlushed } from '../files/folder';
import { readIfThere } from '../files/read';
import { AuroraError } from '../base/errors';
import { readUser } from './user';
import { own } from '../base/names';

/**
 * Deleted runs are in `.aurora/trash` beside `.aurora/runs`, in the same subfolders as before, so that their origin is
 * clear even without the index. The index adds the time of deletion and the name.
 */
export interface TrashedRun {
  /** Its current path. */
  folder: string;
  /** Its original path. */
  from: string;
  /** Milliseconds since 1970. */
  deletedAt: number;
  /** The user's name for it, otherwise the folder's. */
  label: string;
}

/** index.json: by the run's path in the trash, with forward slashes on every platform. */
type Index = Record<string, Pick<TrashedRun, 'deletedAt' | 'label'>>;

const INDEX = 'index.json';

/** The `.aurora` folder that contains a run; for a run elsewhere (`--out`), the one beside it. */
export function homeOf(run: string): string {
  for (let at = dirname(run); dirname(at) !== at; at = dirname(at)) if (basename(at) === '.aurora') return at;
  return join(dirname(run), '.aurora');
}

export const trashOf = (run: string): string => join(homeOf(run), 'trash');

/** A run's path in its trash: `runs/…` for a run in `.aurora/runs`, `beside/…` for one beside the `.aurora` folder. */
function placeIn(run: string): { trash: string; place: string } {
  const home = homeOf(run);
  const inRuns = relative(join(home, 'runs'), run);
  const inside = !inRuns.startsWith('..') && !isAbsolute(inRuns);
  const place = inside ? join('runs', inRuns) : join('beside', basename(run));
  return { trash: join(home, 'trash'), place: place.replaceAll('\\', '/') };
}

function sourceOf(trash: string, place: string): string {
  const [kind, ...rest] = place.split('/');
  const home = dirname(trash);
  return kind === 'runs' ? join(home, 'runs', ...rest) : join(dirname(home), ...rest);
}

/** True if a run of this path was deleted and can be restored. */
export function isInTrash(run: string): boolean {
  const { trash, place } = placeIn(run);
  return existsSync(join(trash, place));
}

/** Moves a run that is not in use to the trash. Throws AuroraError (`disk`) if it cannot be moved. */
export async function trashRun(run: string, now = Date.now()): Promise<TrashedRun> {
  const { trashed, failed } = await trashRuns([run], now);
  if (failed.length > 0) throw failed[0];
  return trashed[0];
}

/** Moves runs with the same trash, and writes the index once: a thousand runs take no longer than their moves. */
export async function trashRuns(
  runs: readonly string[],
  now = Date.now(),
): Promise<{ trashed: TrashedRun[]; failed: unknown[] }> {
  const trashed: TrashedRun[] = [];
  const failed: unknown[] = [];
  for (const run of runs)
    try {
      const { trash, place } = placeIn(run);
      const folder = join(trash, ...place.split('/'));
      const label = labelOf(run);
      await moveRun(run, folder);
      trashed.push({ folder, from: run, deletedAt: now, label });
    } catch (e) {
      failed.push(e);
    }
  if (trashed.length > 0) {
    const trash = trashOf(runs[0]);
    const added = trashed.map(({ from, label }) => [placeIn(from).place, { deletedAt: now, label }] as const);
    writeIndex(trash, { ...(await readIndex(trash)), ...Object.fromEntries(added) });
  }
  return { trashed, failed };
}

/** Moves a run back to its original path and returns it. Throws AuroraError (`run`) if that path is taken. */
export async function restoreRun(trashed: Pick<TrashedRun, 'folder' | 'from'>): Promise<string> {
  await restoreRuns([trashed]);
  return trashed.from;
}

/** Moves runs from the same trash back, up to the first that cannot be; throws AuroraError (`run`) for that one. */
export async function restoreRuns(trashed: readonly Pick<TrashedRun, 'folder' | 'from'>[]): Promise<void> {
  if (trashed.length === 0) return;
  const trash = trashOf(trashed[0].from);
  const restored: string[] = [];
  try {
    for (const { folder, from } of trashed) {
      if (await exists(from))
        throw new AuroraError(
          'run',
          `${from} cannot be restored: a folder of that name exists again.`,
          `Move one of the two by hand; the deleted one is ${folder}.`,
        );
      await moveRun(folder, from);
      restored.push(placeIn(from).place);
      await removeIfEmpty(dirname(folder));
    }
  } finally {
    const index = await readIndex(trash);
    for (const place of restored) delete index[place];
    if (restored.length > 0) writeIndex(trash, index);
  }
}

/** The runs in a trash folder (`trashOf`), last deleted first; empty without a trash. */
export async function listTrash(trash: string): Promise<TrashedRun[]> {
  const index = await readIndex(trash);
  const found: TrashedRun[] = [];
  for (const place of await places(trash)) {
    const folder = join(trash, ...place.split('/'));
    const known = own(index, place);
    found.push({
      folder,
      from: sourceOf(trash, place),
      deletedAt: known?.deletedAt ?? (await stat(folder)).mtimeMs,
      label: known?.label ?? labelOf(folder),
    });
  }
  return found.sort((a, b) => b.deletedAt - a.deletedAt);
}

async function places(trash: string): Promise<string[]> {
  const runs = await folders(join(trash, 'runs'));
  const nested = await Promise.all(
    runs.map(async (e) => (await folders(join(trash, 'runs', e))).map((id) => `runs/${e}/${id}`)),
  );
  return [...nested.flat(), ...(await folders(join(trash, 'beside'))).map((id) => `beside/${id}`)];
}

/** The user's name for a run, otherwise the folder's. A damaged note must not prevent deletion. */
function labelOf(run: string): string {
  try {
    return readUser(run).name ?? basename(run);
  } catch {
    return basename(run);
  }
}

async function folders(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((e) => e.isDirectory()).map((e) => e.name);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw diskError(path, e);
  }
}

/** The index is a convenience: if it is missing or damaged, the runs are still found. */
async function readIndex(trash: string): Promise<Index> {
  try {
    const value: unknown = JSON.parse((await readIfThere(join(trash, INDEX)))?.toString('utf8') ?? 'null');
    return typeof value === 'object' && value !== null ? (value as Index) : {};
  } catch {
    return {};
  }
}

const writeIndex = (trash: string, index: Index): void =>
  writeAtomic(join(trash, INDEX), `${JSON.stringify(index, null, 2)}\n`);

/** Throws AuroraError (`disk`) if it cannot be moved. */
export async function moveRun(from: string, to: string): Promise<void> {
  try {
    await moveFlushed(from, to);
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).code ?? String(e);
    throw new AuroraError(
      'disk',
      `${from} could not be moved to ${to} (${code}).`,
      'Close programs that have files of the run open, and check that the folder is writable.',
      { cause: e },
    );
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  if ((await folders(folder)).length === 0) await rm(folder, { recursive: true, force: true });
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw diskError(path, e);
  }
}
