import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog } from '../src/extension/runs/catalog';
import { evaluated, finished, makeRun, metrics, started } from '../test/unit/extension/run-maker';

/**
 * How long the Experiments view waits for a thousand finished runs, and how long the host is busy meanwhile.
 * Prints one JSON line: milliseconds for the first look, for a look at unchanged folders, and the longest
 * time that a timer had to wait.
 */
const RUNS = Number(process.argv[2] ?? 1000);
const EVALUATIONS = 20;

async function main(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'aurora-bench-'));
  try {
    const file = join(root, 'demo.aurora.json');
    writeFileSync(file, '{}');
    for (let i = 0; i < RUNS; i++) makeFinished(file, i);
    // The folders must have settled, as those of past runs have.
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

function makeFinished(file: string, i: number): void {
  const events = Array.from({ length: EVALUATIONS }, (_, k) => evaluated(6 * (k + 1), 0.5 + k / 100));
  makeRun(file, {
    at: new Date(Date.UTC(2025, 0, 1) + i * 60_000),
    events: [started, ...events, finished(120, 0.9)],
    status: { state: 'finished', step: 120 },
    result: { steps: 120, best: { ...metrics(0.9), step: 120 }, last: metrics(0.9) },
  });
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
