import { describe, expect, it } from 'vitest';
import { AwakeClock } from '../../../../src/base/awake-clock';
import { Looks, CONTROL_MS, PulseWatch } from '../../../../src/training/process/pulse-watch';
import { CELL, STOP } from '../../../../src/training/process/pulse';

const LEASE = 60_000;
const HOUR = 3_600_000;
type Code = 'EIO' | 'ESTALE' | 'EACCES' | 'EBUSY' | 'EPERM';
const CODES: Code[] = ['EIO', 'ESTALE', 'EACCES', 'EBUSY', 'EPERM'];

/** A watch with a clock and a disk that the test controls. */
class Bench {
  now = 0;
  killed = 0;
  failing: { mtime?: Code; remove?: Code } = {};
  readonly files = new Map<string, number>();
  readonly reports: string[] = [];
  readonly cells = new Int32Array(new SharedArrayBuffer(4 * 4));
  readonly watch: PulseWatch;

  constructor(lease: number | null = LEASE) {
    const fail = (code?: Code) => {
      if (code) throw Object.assign(new Error(code), { code });
    };
    this.watch = new PulseWatch({
      control: '/run/control',
      cells: this.cells,
      stopTimeout: 30_000,
      lease: lease ?? undefined,
      looks: new Looks((message) => this.reports.push(message)),
      kill: () => this.killed++,
      now: () => this.now,
      disk: {
        mtime: (path) => {
          fail(this.failing.mtime);
          return this.files.get(path.split(/[\\/]/).at(-1)!);
        },
        remove: (path) => {
          fail(this.failing.remove);
          this.files.delete(path.split(/[\\/]/).at(-1)!);
        },
      },
    });
  }

  /** Checks for this long, as often as a trainer does, and calls `renew` at each check. */
  pass(ms: number, renew?: () => void): void {
    for (const until = this.now + ms; this.now < until;) {
      this.now += CONTROL_MS;
      renew?.();
      this.watch.look();
    }
  }
  get stop(): number {
    return Atomics.load(this.cells, CELL.stop);
  }
}

describe('the awake clock', () => {
  it('counts a sleep as one late check', () => {
    let now = 5;
    const clock = new AwakeClock(1000, () => now);
    now += 400;
    expect(clock.read()).toBe(400);
    now += HOUR;
    expect(clock.read()).toBe(1400);
    now -= HOUR;
    expect(clock.read()).toBe(1400);
  });
});

describe('a lease', () => {
  it('expires if it is not renewed, and not earlier', () => {
    const bench = new Bench();
    bench.files.set('lease', 1);
    bench.pass(LEASE);
    expect(bench.stop).toBe(0);
    bench.pass(1000);
    expect(bench.stop).toBe(STOP['window-closed']);
  });

  it('survives a machine that sleeps for hours if the window renews it afterwards', () => {
    const bench = new Bench();
    let lease = 1;
    const renew = () => bench.files.set('lease', lease++);
    bench.pass(10_000, renew);
    for (let night = 0; night < 5; night++) {
      bench.now += 8 * HOUR;
      // The editor takes longer to wake up than the trainer.
      bench.pass(20_000);
      bench.pass(10_000, renew);
    }
    expect(bench.stop).toBe(0);
  });

  it.each([-24, 24])('is renewed by a file with a time that jumps by %i hours', (hours) => {
    const bench = new Bench();
    let time = 100 * HOUR;
    const renew = () => bench.files.set('lease', (time += CONTROL_MS));
    bench.pass(LEASE / 2, renew);
    time += hours * HOUR;
    bench.pass(LEASE, renew);
    expect(bench.stop).toBe(0);
  });

  it.each(CODES)('does not expire while it cannot be checked (%s)', (code) => {
    const bench = new Bench();
    bench.files.set('lease', 1);
    bench.pass(1000);
    bench.failing.mtime = code;
    bench.pass(5 * LEASE);
    expect(bench.stop).toBe(0);
    bench.failing.mtime = undefined;
    bench.pass(LEASE + 1000);
    expect(bench.stop).toBe(STOP['window-closed']);
  });
});

describe('a request', () => {
  it.each(CODES)('takes effect once the disk responds again after %s, which is reported once', (code) => {
    const bench = new Bench(null);
    bench.files.set('stop', 1);
    bench.failing.mtime = code;
    bench.pass(60_000);
    expect([bench.stop, bench.killed]).toEqual([0, 0]);
    expect(bench.reports).toEqual([expect.stringContaining(`(${code})`)]);
    bench.failing.mtime = undefined;
    bench.pass(CONTROL_MS);
    expect(bench.stop).toBe(STOP.requested);
    expect(bench.reports.slice(1)).toEqual([expect.stringContaining('it works again')]);
  });

  it('is not reported after a single failure', () => {
    const bench = new Bench();
    bench.failing.mtime = 'EBUSY';
    bench.pass(CONTROL_MS);
    bench.failing.mtime = undefined;
    bench.pass(LEASE / 2);
    expect(bench.reports).toEqual([]);
  });

  it('that cannot be removed takes effect once, and so does a new one', () => {
    const bench = new Bench();
    bench.failing.remove = 'EACCES';
    const taken = () => Atomics.exchange(bench.cells, CELL.checkpoint, 0);
    bench.files.set('checkpoint', 1);
    bench.pass(CONTROL_MS);
    expect(taken()).toBe(1);
    bench.pass(5000);
    expect(taken()).toBe(0);
    bench.files.set('checkpoint', 2);
    bench.pass(CONTROL_MS);
    expect(taken()).toBe(1);
  });
});

describe('a process that was asked to stop', () => {
  it('does not count as hanging because the machine slept', () => {
    const bench = new Bench();
    bench.files.set('stop', 1);
    bench.pass(1000);
    bench.now += 8 * HOUR;
    bench.pass(1000);
    expect(bench.killed).toBe(0);
    bench.pass(60_000);
    expect(bench.killed).toBeGreaterThan(0);
  });

  it('has the full time for each step', () => {
    const bench = new Bench();
    bench.files.set('stop', 1);
    for (let step = 0; step < 5; step++) {
      Atomics.store(bench.cells, CELL.step, step);
      bench.pass(25_000);
    }
    expect(bench.killed).toBe(0);
  });
});
