import { appendFileSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { startWorkbench, type Version } from '../scripts/lib/workbench/server.mjs';
import { closeBrowser } from '../test/vscode/driver/browser';
import { hostTests } from '../test/vscode/driver/host';
import { Window } from '../test/vscode/driver/window';
import { vsixHere } from '../test/vscode/vsix';
import { copyManyRuns } from './many-runs';
import { quantiles } from './samples';

/**
 * Measurements in a real workbench, run by scripts/bench-editor.mjs: appends one line of JSON each to the file
 * AURORA_BENCH_OUT. STARTS: number of repetitions, each in a new profile and a new extension host.
 */
const OUT = process.env.AURORA_BENCH_OUT!;
const STARTS = Number(process.env.AURORA_BENCH_STARTS);
const RUNS = 1000;
const TABLE = 10_000;
const ICON = '.activitybar .action-item a[aria-label^="AuroRA"]';
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

/** A window that the user works in: the editor and its own extensions have started. */
const SETTLED_MS = 6000;
/** Both are cold: the folder's runs have not been read. `opening`: at the first moment that the window takes input. */
const MOMENTS = ['open', 'opening'] as const;

test.each(MOMENTS)('a thousand runs in the tree of a window that is %s', async (moment) => {
  const made = mkdtempSync(join(folder, 'many-'));
  copyManyRuns(made, RUNS);
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++)
    await inWindow(made, moment, async (window) => void times.push(await untilListed(window)));
  note({ tree: RUNS, moment, ...quantiles(times) });
});

test.each(MOMENTS)('ten thousand runs in the table of a window that is %s', async (moment) => {
  const made = mkdtempSync(join(folder, 'table-'));
  copyManyRuns(made, TABLE);
  const times = { first: [] as number[], all: [] as number[], frames: [] as number[] };
  for (let i = 0; i < TABLE_STARTS; i++)
    await inWindow(made, moment, async (window) => {
      const took = await untilShown(window);
      times.first.push(took.first);
      times.all.push(took.all);
      times.frames.push(...took.frames);
    });
  note({
    table: TABLE,
    moment,
    first: quantiles(times.first),
    all: quantiles(times.all),
    frame: quantiles(times.frames),
  });
});

/** Opens a new window on a folder. In one that is open, the runs appear only then, so that nothing has read them before. */
async function inWindow(
  runs: string,
  moment: (typeof MOMENTS)[number],
  measure: (window: Window) => Promise<void>,
): Promise<void> {
  const server = await startWorkbench({ version: '1.139', name: 'bench', vsix: vsixHere() });
  const opened = moment === 'opening' ? runs : mkdtempSync(join(folder, 'empty-'));
  const move = (from: string, to: string) => {
    for (const name of readdirSync(from)) renameSync(join(from, name), join(to, name));
  };
  try {
    const window = await Window.open(server, opened);
    await window.page.locator(ICON).waitFor();
    if (moment === 'open') {
      await window.page.waitForTimeout(SETTLED_MS);
      move(runs, opened);
    }
    await measure(window);
  } finally {
    await server.stop();
    if (moment === 'open') move(opened, runs);
  }
}

/** From the command to the first rows and to all of them, and the time between frames of a scroll; ms. */
async function untilShown(window: Window): Promise<{ first: number; all: number; frames: number[] }> {
  const { page } = window;
  let began = 0;
  await window.palette('AuroRA: Show Runs Table', () => (began = performance.now()));
  const table = await window.frameWith('aurora-runs .row', 300_000, 10);
  const first = performance.now() - began;
  await table.locator('.status', { hasText: /(^|\s)10,000 runs(?! read)/ }).waitFor();
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

/** From the click on the view's icon to a tree that shows the first of a thousand runs, and that there are as many; ms. */
async function untilListed({ page }: Window): Promise<number> {
  const took = page.evaluate(
    ({ runs, limit }) =>
      new Promise<number>((resolve, reject) => {
        let began = 0;
        setTimeout(() => reject(new Error(`The tree did not show "${runs}".`)), limit);
        addEventListener('mousedown', () => (began ||= performance.now()), { capture: true });
        const look = () => {
          // The Explorer has rows too, of the same runs' folders.
          const row = '.sidebar .monaco-list-row';
          const twistie = document.querySelector<HTMLElement>(
            `${row}[aria-label^="Experiment "][aria-expanded="false"] .monaco-tl-twistie.collapsible`,
          );
          const all = document.querySelector(`${row}[aria-label^="Experiment "][aria-label*=", ${runs}"]`);
          if (all && document.querySelector(`${row}[aria-label^="Run "]`))
            return resolve(performance.now() - began);
          // A user would take longer to open the experiment; do not count that time.
          twistie?.click();
          requestAnimationFrame(look);
        };
        look();
      }),
    { runs: `${RUNS.toLocaleString('en')} runs`, limit: 60_000 },
  );
  await page.waitForTimeout(500);
  await page.locator(ICON).click();
  const ms = await took;
  await page.close();
  return ms;
}
