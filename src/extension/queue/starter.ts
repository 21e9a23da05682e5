import type { QueuedRun, RunQueue } from './run-queue';

export interface StarterHost {
  /** True if something is training or being started, or nothing may be started here. */
  busy(): Promise<boolean>;
  /** Starts a run; resolves once it counts as in progress, whether or not that succeeded. */
  start(item: QueuedRun): Promise<void>;
}

/** Starts queued runs one after the other, whenever nothing else is in progress. */
export class QueueStarter {
  private again = false;
  private work: Promise<void> | undefined;

  constructor(
    private readonly queue: RunQueue,
    private readonly host: StarterHost,
  ) {}

  /** Call it whenever a run may have ended, or the queue has changed. Resolves once nothing more can be started. */
  look(): Promise<void> {
    this.again = true;
    return (this.work ??= this.startAll());
  }

  private async startAll(): Promise<void> {
    try {
      while (this.again) {
        this.again = false;
        await this.startNext();
      }
    } finally {
      this.work = undefined;
    }
  }

  private async startNext(): Promise<void> {
    if (!this.queue.next() || (await this.host.busy())) return;
    // The user may have changed the queue while this was looked up.
    const next = this.queue.next();
    const item = next && this.queue.take(next.id);
    if (!item) return;
    this.again = true;
    await this.host.start(item);
  }
}
