import { alarmsOf, type Alarm, hasExploded } from '../../protocol/alarms';
import type { RunEvent } from '../../protocol/events';

/** Alarms of a run that come within this time are shown together. */
const TOGETHER_MS = 3000;

/**
 * Collects each run's new alarms, and calls back once for those that come together. Once a model has exploded, all
 * later alarms have the same cause, and nothing more is shown.
 */
export class AlarmBatches {
  /** Number of each run's alarms that were seen. */
  private readonly seen = new Map<string, number>();
  private readonly waiting = new Map<string, { alarms: Alarm[]; timer: NodeJS.Timeout }>();

  /** @param from alarms from before are not shown; ms since 1970 */
  constructor(
    private readonly from: number,
    private readonly show: (run: string, alarms: readonly Alarm[]) => void,
    private readonly togetherMs = TOGETHER_MS,
  ) {}

  /**
   * Takes a run's events as they are now. A time in the future was not written by a trainer on this machine: a folder that
   * came with a repository must not show a notification.
   */
  note(run: string, events: readonly RunEvent[], now = Date.now()): void {
    const count = events.filter((e) => e.kind === 'alarm').length;
    const seen = this.seen.get(run) ?? 0;
    this.seen.set(run, count);
    // A resume may have taken some back.
    if (count <= seen) return;
    const late = events.filter((e) => e.kind === 'alarm').slice(seen);
    const fresh = alarmsOf(late.filter(({ t }) => t >= this.from && t <= now));
    if (fresh.length === 0) return;
    const batch = this.waiting.get(run);
    if (!batch && hasExploded(events.slice(0, events.indexOf(late[0])))) return;
    if (batch) batch.alarms.push(...fresh);
    else
      this.waiting.set(run, {
        alarms: fresh,
        timer: setTimeout(() => this.end(run), this.togetherMs),
      });
  }

  private end(run: string): void {
    const { alarms } = this.waiting.get(run)!;
    this.waiting.delete(run);
    this.show(run, alarms);
  }

  dispose(): void {
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
  }
}
