import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runPaths } from '../../runs/layout';
import { presenceNow } from '../../files/processes';
import { AwakeClock } from '../../base/awake-clock';
import type { RunStatus } from '../../protocol/events';
import { statusOf } from '../../executors/local/run-status';

/** A leased trainer saves and stops if its lease was not renewed for 60 s: twelve of these. */
const LEASE_MS = 5000;

/** A trainer with no heartbeat for so long has failed to start: its lease is dropped. */
const STARTUP_MS = 120_000;

/** The store of the leased runs across a reload; VS Code's workspaceState is one. */
export interface Memory {
  get(): readonly string[];
  set(runs: readonly string[]): void;
}

/**
 * Keeps alive what this window started: a trainer started with `--lease` continues as long as its control/lease is
 * touched. After a reload, stored runs are leased again; runs that ended are dropped.
 */
export class Leases {
  private readonly held = new Map<string, Held>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly memory: Memory,
    private readonly interval = LEASE_MS,
    private readonly now: () => number = () => performance.now(),
  ) {
    for (const run of memory.get()) this.hold(run);
    if (this.held.size > 0) this.remember();
  }

  runs(): string[] {
    return [...this.held.keys()];
  }

  /** Starts renewing; resolves after the first renewal. */
  async add(run: string): Promise<void> {
    this.hold(run);
    this.remember();
    await renew(run);
  }

  drop(run: string): void {
    if (this.held.delete(run)) this.remember();
    if (this.held.size === 0) this.pause();
  }

  /** Stops renewing but keeps the stored runs, so that the workspace's next window can take them over. */
  dispose(): void {
    this.pause();
    this.held.clear();
  }

  private hold(run: string): void {
    this.held.set(run, { clock: new AwakeClock(2 * this.interval, this.now), heard: 0 });
    // The extension host may exit while a lease is held; leases exist for that.
    this.timer ??= setInterval(() => void this.renewAll(), this.interval).unref();
    void this.renewAll();
  }

  private pause(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private remember(): void {
    this.memory.set(this.runs());
  }

  /** Renews once; called every five seconds. */
  async renewAll(): Promise<void> {
    for (const [run, held] of [...this.held]) {
      const found = await statusOf(run).then(
        (status) => ({ status }),
        () => undefined,
      );
      if (!found || isWanted(held, found.status)) await renew(run).catch(() => undefined);
      else this.drop(run);
    }
  }
}

/**
 * The lease of a run in this window. Timed by its own clock, since a heartbeat's clock may have been changed or be
 * another machine's.
 */
interface Held {
  clock: AwakeClock;
  /** The last heartbeat seen. */
  heartbeat?: number;
  /** The time when it changed, by the clock. */
  heard: number;
}

/** True if a trainer needs the lease. After sleep, a machine's trainer looks dead until its next heartbeat. */
function isWanted(held: Held, status: RunStatus | undefined): boolean {
  const now = held.clock.read();
  if (status && status.state !== 'running') return false;
  if (status && status.heartbeat !== held.heartbeat) [held.heartbeat, held.heard] = [status.heartbeat, now];
  return now - held.heard < STARTUP_MS || (status !== undefined && presenceNow(status) === 'alive');
}

async function renew(run: string): Promise<void> {
  const { control } = runPaths(run);
  const lease = join(control, 'lease');
  // Not with its parents: a run folder that was moved away must not come back.
  await mkdir(control).catch((e: NodeJS.ErrnoException) => {
    if (e.code !== 'EEXIST') throw e;
  });
  const now = new Date();
  await utimes(lease, now, now).catch(() => writeFile(lease, ''));
}
