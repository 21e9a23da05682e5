import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Leases } from '../../../../src/extension/launcher/leases';
import { runPaths } from '../../../../src/runs/layout';
import { writeStatus } from '../../../../src/runs/status';
import { newStatus } from '../../../../src/training/process/pulse';

const HOUR = 3_600_000;
/** No timer fires, because the test triggers the checks. */
const INTERVAL = 20_000;

let run: string;
let now: number;
let remembered: readonly string[];
let leases: Leases;

beforeEach(async () => {
  run = mkdtempSync(join(tmpdir(), 'aurora-leased-'));
  now = 0;
  remembered = [];
  beat(0);
  const memory = { get: () => remembered, set: (runs: readonly string[]) => (remembered = runs) };
  leases = new Leases(memory, INTERVAL, () => now);
  await leases.add(run);
  // The heartbeat is seen at 0, whenever the renewal that adding has begun ends.
  await leases.renewAll();
});
afterEach(() => {
  leases.dispose();
  rmSync(run, { recursive: true, force: true });
});

/** A heartbeat of a trainer that this machine cannot check, from a clock that is off by this much. */
function beat(off: number, state: 'running' | 'stopped' = 'running'): void {
  writeStatus(run, {
    ...newStatus(state, Date.now() + off),
    host: 'another',
    boot: 'another',
    started: undefined,
  });
}

/** True if a check renews the lease. */
async function renews(): Promise<boolean> {
  const lease = join(runPaths(run).control, 'lease');
  if (existsSync(lease)) utimesSync(lease, 1, 1);
  await leases.renewAll();
  return existsSync(lease) && statSync(lease).mtimeMs > 1000;
}

describe('the lease of a run from an open window', () => {
  it("is renewed after the machine has slept, before the trainer's first heartbeat", async () => {
    expect(await renews()).toBe(true);
    for (let night = 0; night < 3; night++) {
      now += 8 * HOUR;
      expect(await renews()).toBe(true);
      beat(0);
      now += 5000;
      expect(await renews()).toBe(true);
    }
    expect(leases.runs()).toEqual([run]);
  });

  it.each([-24, 24])('is renewed while the clock jumps by %i hours', async (hours) => {
    for (let i = 0; i < 20; i++) {
      beat((i > 5 ? hours * HOUR : 0) + i);
      now += 30_000;
      expect(await renews()).toBe(true);
    }
  });

  it('is renewed while the status cannot be read', async () => {
    const { status } = runPaths(run);
    rmSync(status);
    // Every access to it fails, even for root.
    symlinkSync(status, status);
    now += 10 * 60_000;
    expect(await renews()).toBe(true);
    rmSync(status);
  });

  it('is given up after two minutes without a heartbeat during which the machine was awake', async () => {
    for (let i = 0; i < 5; i++) {
      now += 20_000;
      expect(await renews()).toBe(true);
    }
    now += 20_000;
    await leases.renewAll();
    expect([leases.runs(), remembered]).toEqual([[], []]);
  });

  it('is given up when the run has ended', async () => {
    beat(0, 'stopped');
    await leases.renewAll();
    expect([leases.runs(), remembered]).toEqual([[], []]);
  });

  it('is kept while the process exists on this machine, even without a heartbeat', async () => {
    // The status has this process's PID, boot and start time.
    writeStatus(run, newStatus('running', Date.now() - 48 * HOUR));
    for (let i = 0; i < 20; i++) {
      now += 60_000;
      expect(await renews()).toBe(true);
    }
  });
});
