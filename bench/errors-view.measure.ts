import { appendFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { EXIT } from '../src/base/errors';
import { startWorkbench } from '../scripts/lib/workbench/server.mjs';
import { runPaths } from '../src/runs/layout';
import { closeBrowser } from '../test/vscode/driver/browser';
import { Window } from '../test/vscode/driver/window';
import { vsixHere } from '../test/vscode/vsix';
import { tinyWorkspace } from '../test/vscode/workspace';
import { quantiles } from './samples';

/** Like workbench.measure.ts: from the choice of *Show Errors*, without stored predictions, to the page's first words. */
const OUT = process.env.AURORA_BENCH_OUT!;
const STARTS = Number(process.env.AURORA_BENCH_STARTS);
/** Until the editor and its own extensions have started. */
const SETTLED_MS = 6000;

const lab = tinyWorkspace({ training: { epochs: 1 } });
afterAll(async () => {
  await closeBrowser();
  lab.remove();
});

test('the first paint of Errors', async () => {
  // So short a run may end worse than a constant answer.
  expect(lab.run('train', lab.experiment).code).toBeOneOf([EXIT.ok, EXIT.baseline]);
  const runs = join(lab.folder, '.aurora/runs/tiny');
  const run = join(runs, readdirSync(runs)[0]!);
  const server = await startWorkbench({ version: '1.139', name: 'bench', vsix: vsixHere() });
  const times: number[] = [];
  try {
    const window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.page.waitForTimeout(SETTLED_MS);
    for (let i = 0; i < STARTS; i++) {
      rmSync(runPaths(run).predictions, { recursive: true, force: true });
      await window.palette('AuroRA: Show Errors');
      const began = performance.now();
      await window.frameWith('aurora-errors h1');
      times.push(performance.now() - began);
      await window.frameWith('aurora-errors .matrix');
      await window.tab(/^Errors/).click({ button: 'middle' });
      await window.tab(/^Errors/).waitFor({ state: 'detached' });
    }
  } finally {
    await server.stop();
  }
  appendFileSync(OUT, `${JSON.stringify({ errors: true, ...quantiles(times) })}\n`);
});
