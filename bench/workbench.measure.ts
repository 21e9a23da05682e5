import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { startWorkbench, type Version } from '../scripts/lib/workbench/server.mjs';
import { closeBrowser } from '../test/vscode/driver/browser';
import { hostTests } from '../test/vscode/driver/host';
import { Window } from '../test/vscode/driver/window';
import { vsixHere } from '../test/vscode/vsix';
import { copyManyRuns, makeManyRuns } from './many-runs';
import { quantiles } from './samples';

/**
 * Measurements in a real workbench, run by scripts/bench-editor.mjs: appends one line of JSON each to the file
 * AURORA_BENCH_OUT. STARTS: number of repetitions, each in a new profile and a new extension host.
 */
const OUT = process.env.AURORA_BENCH_OUT!;
const STARTS = Number(process.env.AURORA_BENCH_STARTS);
const RUNS = 1000;
const TABLE = 10_000;
/** Making ten thousand folders and opening a window takes long. */
const TABLE_STARTS = Math.min(STARTS, 3);

const folder = mkdtempSync(join(tmpdir(), 'aurora-bench-'));
afterAll(async () => {
  await closeBrowser();
  rmSync(folder, { recursive: true, force: true });
});

const note = (line: object) => appendFileSync(OUT, `${JSON.stringify(line)}\n`);

test.each<Version>(['1.100', '1.139'])('activation in %s', async (version) => {
  const vsix = vsixHere();
  const empty = mkdtempSync(join(folder, 'empty-'));
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    // It loads and activates the extension, and fails if that takes far too long: that sample counts too.
    const report = await hostTests(version, ['activation'], { vsix, folder: empty, name: 'bench' });
    const found = [...report.passes, ...report.failures].find((t) =>
      t.fullTitle.includes('load and activate'),
    );
    if (!found) throw new Error('The activation test "load and activate" is missing.');
    times.push(found.duration);
  }
  note({ activation: version, ...quantiles(times) });
});

test('a thousand runs in the tree', async () => {
  const many = mkdtempSync(join(folder, 'many-'));
  makeManyRuns(many, RUNS);
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const server = await startWorkbench({ version: '1.139', name: 'bench', vsix: vsixHere() });
    try {
      times.push(await untilListed(await Window.open(server, many)));
    } finally {
      await server.stop();
    }
  }
  note({ tree: RUNS, ...quantiles(times) });
});

test('ten thousand runs in the table', async () => {
  const many = mkdtempSync(join(folder, 'table-'));
  copyManyRuns(many, TABLE);
  const times = { first: [] as number[], all: [] as number[], frames: [] as number[] };
  for (let i = 0; i < TABLE_STARTS; i++) {
    const server = await startWorkbench({ version: '1.139', name: 'bench', vsix: vsixHere() });
    try {
      const took = await untilShown(await Window.open(server, many));
      times.first.push(took.first);
      times.all.push(took.all);
      times.frames.push(...took.frames);
    } finally {
      await server.stop();
    }
  }
  note({
    table: TABLE,
    first: quantiles(times.first),
    all: quantiles(times.all),
    frame: quantiles(times.frames),
  });
});

/** From the command to the first rows and to all of them, and the time between frames of a scroll; ms. */
async function untilShown(window: Window): Promise<{ first: number; all: number; frames: number[] }> {
  const { page } = window;
  await page.locator('.activitybar .action-item a[aria-label^="AuroRA"]').waitFor();
  let began = 0;
  await window.palette('AuroRA: Show Runs Table', () => (began = performance.now()));
  const table = await window.frameWith('aurora-runs .row', 300_000, 10);
  const first = performance.now() - began;
  await table.locator('.status', { hasText: /^10,000 runs(?! read)/ }).waitFor();
  const all = performance.now() - began;
  const frames = await table.evaluate(async () => {
    const grid = document.querySelector<HTMLElement>('.grid')!;
    const times: number[] = [];
    const frame = () => new Promise<number>(requestAnimationFrame);
    let last = await frame();
    for (let i = 0; i < 120; i++) {
      grid.scrollTop += 400;
      const now = await frame();
      times.push(now - last);
      last = now;
    }
    return times;
  });
  await page.close();
  return { first, all, frames };
}

/** From the click on the view's icon to a tree that shows its first run as one of a thousand; ms. */
async function untilListed({ page }: Window): Promise<number> {
  const entry = page.locator('.activitybar .action-item a[aria-label^="AuroRA"]');
  await entry.waitFor();
  const took = page.evaluate(
    ({ count }) =>
      new Promise<number>((resolve) => {
        let began = 0;
        addEventListener('mousedown', () => (began ||= performance.now()), { capture: true });
        const look = () => {
          const twistie = document.querySelector<HTMLElement>(
            '.sidebar .monaco-list-row[aria-expanded="false"] .monaco-tl-twistie.collapsible',
          );
          if (document.querySelector(`.sidebar .monaco-list-row[aria-setsize="${count}"]`))
            return resolve(performance.now() - began);
          // A user would take longer to open the experiment; do not count that time.
          twistie?.click();
          requestAnimationFrame(look);
        };
        look();
      }),
    { count: RUNS },
  );
  await page.waitForTimeout(500);
  await entry.click();
  const ms = await took;
  await page.close();
  return ms;
}
