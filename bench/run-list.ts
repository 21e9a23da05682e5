import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog } from '../src/extension/runs/catalog';
import { makeManyRuns } from './many-runs';

/**
 * The time that the Experiments view waits for a thousand finished runs, and the time that the host is busy in it.
 * Prints one JSON line in milliseconds: the first scan, a scan of unchanged folders, and the longest timer delay.
 */
const RUNS = Number(process.argv[2] ?? 1000);

async function main(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'aurora-bench-'));
  try {
    const file = makeManyRuns(root, RUNS);
    // The folders must have settled, like those of past runs.
    await new Promise((done) => setTimeout(done, 2500));
    const catalog = new Catalog();
    catalog.setPlaces([file], [root]);
    const first = await measure(() => catalog.look());
    const again = await measure(() => catalog.look());
    const listed = catalog.experiments()[0].runs.length;
    process.stdout.write(
      `${JSON.stringify({ runs: listed, firstMs: first.ms, againMs: again.ms, longestBlockMs: Math.max(first.blocked, again.blocked) })}\n`,
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function measure(action: () => Promise<unknown>): Promise<{ ms: number; blocked: number }> {
  let last = performance.now();
  let blocked = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    blocked = Math.max(blocked, now - last - 1);
    last = now;
  }, 1);
  const began = performance.now();
  await action();
  const ms = performance.now() - began;
  clearInterval(timer);
  return { ms: Math.round(ms), blocked: Math.round(blocked) };
}

void main();
