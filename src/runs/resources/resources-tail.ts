import { parseJson } from '../../files/json';
import { readIfThere } from '../../files/read';
import { columnsOf } from '../curve/scalar-records';
import { runPaths } from '../layout';
import { fileVersion } from '../summary-reader';

/**
 * Follows resources.bin, which is small: each look reads all of it if it has changed. A torn last record waits until it
 * is complete.
 */
export class ResourcesTail {
  columns: readonly string[] = [];
  private values = new Float64Array(0);
  private version = '';

  constructor(private readonly folder: string) {}

  get records(): number {
    return this.columns.length === 0 ? 0 : this.values.length / this.columns.length;
  }

  /** Records from `from` on, row by row, in a new buffer. */
  rows(from: number): Float64Array {
    return this.values.slice(from * this.columns.length);
  }

  /**
   * Returns the first record that is new, differs or is gone; undefined if nothing changed. A file that cannot be read
   * counts as missing: its content is not part of the result.
   */
  async look(): Promise<number | undefined> {
    const { resources, resourceColumns } = runPaths(this.folder);
    const version = await fileVersion(resources);
    if (version === this.version) return undefined;
    this.version = version;
    const before = this.values;
    const known = this.records;
    await this.read(resources, resourceColumns);
    const width = this.columns.length;
    let same = 0;
    while (same < before.length && same < this.values.length && sameValue(before[same], this.values[same]))
      same++;
    if (same === before.length && same === this.values.length) return undefined;
    return width === 0 || known === 0 ? 0 : Math.floor(same / width);
  }

  private async read(path: string, header: string): Promise<void> {
    this.values = new Float64Array(0);
    const bytes = await readIfThere(path);
    const names = bytes && (await readIfThere(header));
    if (!names) return;
    try {
      this.columns = columnsOf(header, parseJson(header, names));
    } catch {
      return;
    }
    const width = 8 * this.columns.length;
    const whole = bytes.subarray(0, Math.floor(bytes.length / width) * width);
    this.values = new Float64Array(Uint8Array.from(whole).buffer);
  }
}

/** Equality also for NaN. */
const sameValue = (a: number, b: number): boolean => Object.is(a, b);
