import { appendFileSync, rmSync, statSync } from 'node:fs';
import { diskError, writeAtomic } from '../../files/atomic';
import { requireOwned } from '../../files/fence';
import { readIfThereSync } from '../../files/read';
import { parseJson, readJson } from '../../files/json';
import { RESOURCE_COLUMNS, type ResourceColumn } from '../../protocol/run-files/resources';
import { columnsOf } from '../curve/scalar-records';
import { runPaths } from '../layout';

export type ResourceRecord = Record<ResourceColumn, number>;

/** Records in the file, two hours at one a second. Once there are more, every second one is dropped. */
const MOST_RECORDS = 7200;

/**
 * Appends samples of the machine to resources.bin, one float64 a column. Its size is bounded: when it is full, every
 * second record is dropped, and from then on every second sample is left out.
 */
export class ResourcesWriter {
  private readonly columns: readonly string[];
  private every = 1;
  private calls = 0;

  constructor(
    private readonly run: string,
    private readonly most = MOST_RECORDS,
  ) {
    const path = runPaths(run).resourceColumns;
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      const header = { version: 1, columns: RESOURCE_COLUMNS };
      writeAtomic(path, `${JSON.stringify(header)}\n`, run);
    }
    this.columns = columnsOf(path, readJson(path));
  }

  append(record: ResourceRecord): void {
    if (this.calls++ % this.every !== 0) return;
    const path = runPaths(this.run).resources;
    const width = 8 * this.columns.length;
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= this.most * width) this.thin(path);
    const values = Float64Array.from(this.columns, (name) => record[name as ResourceColumn] ?? NaN);
    requireOwned(path);
    try {
      appendFileSync(path, new Uint8Array(values.buffer));
    } catch (e) {
      throw diskError(path, e);
    }
  }

  private thin(path: string): void {
    const rows = rowsOf(readIfThereSync(path), this.columns.length);
    writeAtomic(path, joined(rows.filter((_, i) => i % 2 === 0)), this.run);
    this.every *= 2;
    this.calls = 1;
  }
}

/**
 * Drops the records of steps after `step`, which are trained again, and a torn last one. Files that cannot be read are
 * removed: they are a record of the machine, not of the training.
 */
export function cutResources(run: string, step: number): void {
  const { resources: path, resourceColumns } = runPaths(run);
  const bytes = readIfThereSync(path);
  if (!bytes) return;
  const kept = keptRows(run, bytes, step);
  requireOwned(path);
  if (kept) return writeAtomic(path, kept, run);
  for (const damaged of [path, resourceColumns]) rmSync(damaged, { force: true });
}

/** Copies the samples up to a step into a new run. */
export function copyResources(from: string, run: string, step: number): void {
  const bytes = readIfThereSync(runPaths(from).resources);
  const kept = bytes && keptRows(from, bytes, step);
  if (!kept) return;
  const header = readIfThereSync(runPaths(from).resourceColumns)!;
  writeAtomic(runPaths(run).resourceColumns, header, run);
  writeAtomic(runPaths(run).resources, kept, run);
}

/** Undefined if the columns cannot be read. */
function keptRows(run: string, bytes: Buffer, step: number): Uint8Array | undefined {
  const path = runPaths(run).resourceColumns;
  try {
    const columns = columnsOf(path, parseJson(path, readIfThereSync(path) ?? new Uint8Array(0)));
    const at = columns.indexOf('step');
    return joined(rowsOf(bytes, columns.length).filter((row) => step > 0 && row[at] <= step));
  } catch {
    return undefined;
  }
}

/** All complete records. */
function rowsOf(bytes: Buffer | undefined, columns: number): Float64Array[] {
  const count = Math.floor((bytes?.length ?? 0) / (8 * columns));
  return Array.from({ length: count }, (_, i) =>
    Float64Array.from({ length: columns }, (__, k) => bytes!.readDoubleLE(8 * (i * columns + k))),
  );
}

const joined = (rows: readonly Float64Array[]): Uint8Array =>
  new Uint8Array(Float64Array.from(rows.flatMap((row) => [...row])).buffer);
