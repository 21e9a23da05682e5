import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AuroraError, type ErrorKind } from '../../base/errors';
import { writeAtomic } from '../../files/atomic';
import { modelFileLater, modelKind, modelPath } from '../../files/model-path';
import type { KnownModel } from './known-model';

interface Entry {
  /** Version of the summary's shape and rules; entries of an older extension are ignored. */
  version: string;
  path: string;
  size: number;
  /** Modification time, ms since 1970. */
  time: number;
  /** The time when the speed of a machine was last measured, ms since 1970: estimates of time follow from it. */
  measured: number;
  summary: KnownModel;
}

/** Errors in the file itself: they stay until it changes. Others, such as a missing Node, may be temporary. */
const LASTING: readonly ErrorKind[] = [
  'model',
  'notOnnx',
  'truncated',
  'externalMissing',
  'externalOutside',
  'operator',
];

/**
 * Summaries of model files, one small file each under `folder`, valid while the model's size and modification time stay
 * the same, and until a machine's speed is measured again.
 *
 * @param rates the folder of the machines' measured speeds
 * @param ask reads a model again; rejects with an AuroraError
 */
export class ModelCache {
  private readonly known = new Map<string, Entry>();
  private readonly faults = new Map<string, { size: number; time: number; error: AuroraError }>();
  private readonly asked = new Map<string, Promise<KnownModel>>();

  constructor(
    private readonly folder: string,
    private readonly version: string,
    private readonly rates: string,
    private readonly ask: (path: string) => Promise<KnownModel>,
  ) {}

  cached(path: string): KnownModel | undefined {
    return this.known.get(path)?.summary;
  }

  /** Rejects with an AuroraError. If the file itself is at fault, it is not read again until it changes. */
  inspect(path: string): Promise<KnownModel> {
    const going = this.asked.get(path);
    if (going) return going;
    const asked = this.find(path).finally(() => this.asked.delete(path));
    this.asked.set(path, asked);
    return asked;
  }

  private async find(path: string): Promise<KnownModel> {
    const { size, time } = await identity(path);
    const same = (e: { size: number; time: number } | undefined) => e?.size === size && e.time === time;
    const entry = this.known.get(path) ?? (await this.read(path));
    if (entry && same(entry) && entry.measured === (await changedAt(this.rates))) {
      this.known.set(path, entry);
      return entry.summary;
    }
    const fault = this.faults.get(path);
    if (fault && same(fault)) throw fault.error;
    return this.look(path, size, time);
  }

  private async look(path: string, size: number, time: number): Promise<KnownModel> {
    this.known.delete(path);
    try {
      const summary = await this.ask(path);
      // Asking may have measured the machine.
      const measured = await changedAt(this.rates);
      const entry: Entry = { version: this.version, path, size, time, measured, summary };
      this.known.set(path, entry);
      if (!lacksTime(summary)) this.save(entry);
      return summary;
    } catch (error) {
      if (error instanceof AuroraError && LASTING.includes(error.kind))
        this.faults.set(path, { size, time, error });
      throw error;
    }
  }

  /** The cache only saves time: if it cannot be written, the next window asks again. */
  private save(entry: Entry): void {
    try {
      writeAtomic(this.file(entry.path), JSON.stringify(entry));
    } catch {
      return;
    }
  }

  private async read(path: string): Promise<Entry | undefined> {
    try {
      const entry = JSON.parse(await readFile(this.file(path), 'utf8')) as Partial<Entry>;
      const whole = entry.version === this.version && entry.path === path && entry.summary?.layers;
      return whole ? (entry as Entry) : undefined;
    } catch {
      return undefined;
    }
  }

  private file(path: string): string {
    return join(this.folder, `${createHash('sha256').update(path).digest('hex').slice(0, 32)}.json`);
  }
}

/** True if this machine's speed was missing, or measured while it was busy: the next window may know better. */
const lacksTime = ({ step }: KnownModel): boolean =>
  step?.memory !== undefined && (step.time === undefined || step.time.rates.busy === true);

/**
 * The time of a folder's last change in ms since 1970: a file in it was written, replaced or removed; 0 if there is
 * none.
 */
const changedAt = (folder: string): Promise<number> =>
  stat(folder).then(
    (s) => s.mtimeMs,
    () => 0,
  );

/** The files of a folder from the hub with the shapes of its weights. */
const WEIGHTS = ['model.safetensors', 'model.safetensors.index.json'];

async function identity(path: string): Promise<{ size: number; time: number }> {
  try {
    const file = await modelFileLater(path);
    const { size, mtimeMs } = await stat(file);
    if (modelKind(file) !== 'hub') return { size, time: mtimeMs };
    const weights = await Promise.all(
      WEIGHTS.map((name) => stat(join(modelPath(path), name)).catch(() => undefined)),
    );
    return {
      size: size + weights.reduce((sum, w) => sum + (w?.size ?? 0), 0),
      time: Math.max(mtimeMs, ...weights.map((w) => w?.mtimeMs ?? 0)),
    };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new AuroraError(
      'model',
      code === 'ENOENT' || code === 'ENOTDIR'
        ? `The model file ${path} does not exist.`
        : `The model file ${path} cannot be read (${code}).`,
      'Correct model.path in the experiment; it is relative to the experiment file.',
      { cause },
    );
  }
}
