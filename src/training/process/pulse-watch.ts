import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AwakeClock } from '../../base/awake-clock';
import { CELL, STOP } from './pulse';

/** Interval between checks for requests. */
export const CONTROL_MS = 250;

/** A check later than this many intervals was delayed, by sleep or by a machine under load. */
const LATE_LOOKS = 4;

export interface PulseWatchOptions {
  /** The folder for requests. */
  control: string;
  cells: Int32Array;
  /** Milliseconds after which a process that was asked to stop is considered hung. */
  stopTimeout: number;
  /** Duration of a lease in milliseconds; undefined if none is needed. */
  lease: number | undefined;
  looks: Looks;
  /** Ends the process. */
  kill: () => void;
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
  disk?: ControlDisk;
}

/** The disk operations of a watch, replaceable in tests of failing disks. */
export interface ControlDisk {
  /** The time when the file changed, in milliseconds; undefined if it is missing. */
  mtime(path: string): number | undefined;
  remove(path: string): void;
}

const DISK: ControlDisk = {
  mtime: (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs,
  remove: (path) => rmSync(path, { force: true }),
};

/** Watches a run's `control/` for requests and its lease, and kills a process that hangs after a stop request. */
export class PulseWatch {
  private readonly clock: AwakeClock;
  private readonly disk: ControlDisk;
  private at = 0;
  private stopping: { step: number; since: number } | undefined;
  /** The last seen lease time, and how long it has not changed; a run starts with a full lease. */
  private renewal: number | undefined;
  private unchanged = 0;
  /** Requests that were obeyed but could not be removed, by modification time. */
  private readonly obeyed = new Map<string, number>();

  constructor(private readonly options: PulseWatchOptions) {
    this.clock = new AwakeClock(LATE_LOOKS * CONTROL_MS, options.now);
    this.disk = options.disk ?? DISK;
    // Set if this thread replaces one that failed.
    if (Atomics.load(options.cells, CELL.stop) !== 0) this.stopping = { step: -1, since: 0 };
  }

  /** Never throws. */
  look(): void {
    const { cells, stopTimeout, kill } = this.options;
    const before = this.at;
    this.at = this.clock.read();
    if (this.take('checkpoint')) Atomics.store(cells, CELL.checkpoint, 1);
    if (this.take('stop')) this.stop('requested');
    if (this.leaseIsOver(this.at - before)) this.stop('window-closed');
    if (!this.stopping) return;
    const step = Atomics.load(cells, CELL.step);
    if (this.stopping.step !== step) this.stopping = { step, since: this.at };
    if (this.at - this.stopping.since > stopTimeout) kill();
  }

  private stop(reason: keyof typeof STOP): void {
    Atomics.compareExchange(this.options.cells, CELL.stop, 0, STOP[reason]);
    this.stopping ??= { step: -1, since: 0 };
  }

  /** True if there is a request; it is consumed. */
  private take(name: string): boolean {
    const path = join(this.options.control, name);
    const { looks } = this.options;
    const made = looks.try('Requests to the run could not be checked', () => this.disk.mtime(path))?.value;
    if (made === undefined || made === this.obeyed.get(name)) return false;
    const removed = looks.try('A request to the run could not be removed', () => this.disk.remove(path));
    if (!removed) this.obeyed.set(name, made);
    return true;
  }

  /**
   * The file's clock may be another machine's: only changes of it count. A failed check is not informative about the
   * window.
   */
  private leaseIsOver(passed: number): boolean {
    const { lease, control, looks } = this.options;
    if (lease === undefined) return false;
    const seen = looks.try('The lease of the run could not be checked', () =>
      this.disk.mtime(join(control, 'lease')),
    );
    if (!seen) return false;
    this.unchanged += passed;
    if (seen.value !== undefined && seen.value !== this.renewal) {
      this.renewal = seen.value;
      this.unchanged = 0;
    }
    return this.unchanged > lease;
  }
}

/** A single failure may come from a virus scanner or the network; this many in a row are reported. */
const WORTH_REPORTING = 3;

/**
 * Repeated disk operations. Failures are never thrown: the next attempt is the retry. A lasting failure is reported
 * once, and so is its end.
 */
export class Looks {
  private readonly failing = new Map<string, { count: number; reported: boolean }>();

  /** @param report gets full sentences */
  constructor(private readonly report: (message: string) => void) {}

  /**
   * @param what for the report: "The heartbeat could not be written", without the error
   * @returns the result of `look`; undefined if it failed
   */
  try<T>(what: string, look: () => T): { value: T } | undefined {
    try {
      const value = look();
      if (this.failing.get(what)?.reported) this.report(`${what} for a while; it works again.`);
      this.failing.delete(what);
      return { value };
    } catch (e) {
      const failure = this.failing.get(what) ?? { count: 0, reported: false };
      this.failing.set(what, failure);
      if (++failure.count === WORTH_REPORTING) {
        failure.reported = true;
        this.report(`${what} (${codeOf(e)}). Retrying; training continues.`);
      }
      return undefined;
    }
  }
}

function codeOf(e: unknown): string {
  const { code, cause, message } = e as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException };
  return code ?? cause?.code ?? message;
}
