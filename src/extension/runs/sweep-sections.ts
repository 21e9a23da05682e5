import { fileVersion } from '../../runs/summary-reader';
import { readIfThere } from '../../files/read';

/** Finds experiment files with a `sweep` section; a file is read again only when it changed. */
export class SweepSections {
  private readonly known = new Map<string, { version: string; has: boolean }>();

  has(file: string): boolean {
    return this.known.get(file)?.has ?? false;
  }

  async look(file: string): Promise<void> {
    try {
      const version = await fileVersion(file);
      if (this.known.get(file)?.version === version) return;
      const text = (await readIfThere(file))?.toString('utf8') ?? '';
      // A section in a comment counts, too; the command then reports the missing one.
      this.known.set(file, { version, has: /"sweep"\s*:/.test(text) });
    } catch {
      this.known.delete(file);
    }
  }
}
