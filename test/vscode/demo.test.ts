import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from './driver/browser';
import { Dashboard } from './driver/dashboard';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { ProcessWatch } from './driver/processes';
import { Window } from './driver/window';
import { comparable, endTrainer, journalAt, statusOf } from './journal';
import { vsixHere } from './vsix';

/** The time for this many steps of the demo. */
const LONG = { timeout: 900_000, interval: 500 };

/** Two clicks with a clean profile: Get Started, Run the Demo. */
describe('the demo, in VS Code 1.100', () => {
  const empty = mkdtempSync(join(tmpdir(), 'aurora-demo-'));
  let server: WorkbenchServer;
  let window: Window;
  let watch: ProcessWatch;

  beforeAll(async () => {
    server = await startWorkbench({ version: '1.100', name: 'demo', vsix: vsixHere() });
    watch = new ProcessWatch(server.profile);
    window = await Window.open(server);
    // A palette that was opened before the extensions have loaded does not list their commands.
    await window.sideBar();
  });
  beforeEach(() => pictureOnFailure(() => window));
  afterAll(async () => {
    watch?.stop();
    [globalDemo(), join(empty, 'aurora-demo')].flatMap(runsIn).forEach(endTrainer);
    await server?.stop();
    await closeBrowser();
    rmSync(empty, { recursive: true, force: true });
  });

  const runsIn = (folder: string) => {
    const runs = join(folder, '.aurora/runs/debian-sections');
    return existsSync(runs) ? readdirSync(runs).map((id) => join(runs, id)) : [];
  };
  const globalDemo = () => join(server.profile, 'data/User/globalStorage/aurora-lab.aurora-lab/demo');
  const step = () => window.page.locator('[data-step-id="aurora-lab.aurora-lab#start#demo"]');
  const isChecked = () =>
    step().evaluate((e) => e.querySelector('.codicon-getting-started-step-checked.complete') !== null);

  test('without a folder, the walkthrough leads to a first drawn point without any choice', async () => {
    await window.palette('AuroRA: Get Started');
    await step().click();
    const button = window.page
      .locator('.gettingStartedContainer')
      .getByRole('button', { name: 'Run the Demo' });
    await button.waitFor();
    expect(await isChecked()).toBe(false);
    const clicked = Date.now();
    await button.click();
    const dashboard = await Dashboard.in(window);
    await expect.poll(() => dashboard.inked('loss')).toBe(true);
    // The goal is 15 s on a user's machine. Here other tests use both cores, and one renders the window in software.
    const seconds = (Date.now() - clicked) / 1000;
    console.log(`From the click to the first drawn point, on a clean profile: ${seconds.toFixed(1)} s.`);
    const [run] = runsIn(globalDemo());
    const shown = await dashboard.newest();
    expect(comparable(shown)).toEqual(journalAt(run, shown));
    await window.tab('debian-sections.aurora.json').waitFor();
    // Shows that the checks of other tests for absence would detect it.
    expect(watch.commands).toContain('train');
    expect(watch.native.join()).toContain('libonnxruntime');
  });

  test('the walkthrough marks that step as done', async () => {
    await window.palette('AuroRA: Get Started');
    await step().waitFor();
    await expect.poll(isChecked).toBe(true);
  });

  test('the side bar lists the demo though no folder is open, and running it again reveals it', async () => {
    await window.sideBar();
    await window.row('debian-sections').waitFor();
    await expect.poll(async () => (await window.rows()).some((row) => /AuroRA r2/.test(row))).toBe(true);
    await window.palette('AuroRA: Run the Demo');
    await expect
      .poll(() => window.row('debian-sections').getAttribute('aria-selected'), { timeout: 60_000 })
      .toBe('true');
    expect(runsIn(globalDemo())).toHaveLength(1);
  });

  test('the demo folder is offered, and Stop Run stops the run and reports what was saved', async () => {
    // The notification may already be hidden.
    await window.palette('Notifications: Show Notifications');
    const offer = window.page.locator('.notifications-center', { hasText: /The demo is training in .*demo/ });
    await offer.getByRole('button', { name: 'Open Folder' }).waitFor();
    await window.palette('Notifications: Clear All Notifications');
    const [run] = runsIn(globalDemo());
    await window.palette('AuroRA: Stop Run');
    await expect.poll(() => statusOf(run).state, { timeout: 900_000 }).toBe('stopped');
    await window.toast(/saved at step \d+/).waitFor();
  });

  test('in an empty folder, the side bar offers the demo, and the tree and the dashboard show it', async () => {
    await window.close();
    window = await Window.open(server, empty);
    await window.sideBar();
    const clicked = Date.now();
    await window.pane('Experiments').getByRole('button', { name: 'Run the Demo' }).click();
    const dashboard = await Dashboard.in(window);
    console.log(`In an empty folder, another time: ${((Date.now() - clicked) / 1000).toFixed(1)} s.`);
    const [run] = runsIn(join(empty, 'aurora-demo'));
    const shown = await dashboard.newest();
    expect(comparable(shown)).toEqual(journalAt(run, shown));
    await expect.poll(async () => (await window.rows()).some((row) => /AuroRA r2/.test(row))).toBe(true);
  });

  test('the demo learns and is far better than always giving the most common section', async () => {
    // The full demo takes minutes beside other work on two cores, so the test stops it and runs a shorter one.
    const [run] = runsIn(join(empty, 'aurora-demo'));
    const dashboard = await Dashboard.in(window);
    await dashboard.frame.getByRole('button', { name: 'Stop', exact: true }).click();
    await expect.poll(() => statusOf(run).state, { timeout: 900_000 }).toBe('stopped');
    const experiment = join(empty, 'aurora-demo/debian-sections.aurora.json');
    const text = readFileSync(experiment, 'utf8')
      .replace('"epochs": 3', '"epochs": 1, "maxSteps": 24')
      .replace('"schedule": "linear"', '"schedule": "constant"');
    writeFileSync(experiment, text);
    await window.openFile('debian-sections.aurora.json');
    await window.page.locator('.view-line', { hasText: '"epochs": 1' }).waitFor();
    const began = Date.now();
    await window.palette('AuroRA: Run Experiment');
    await expect.poll(() => runsIn(join(empty, 'aurora-demo')).length, { timeout: 900_000 }).toBe(2);
    const short = runsIn(join(empty, 'aurora-demo')).find((r) => r !== run)!;
    await expect.poll(() => existsSync(join(short, 'result.json')), LONG).toBe(true);
    console.log(`24 steps of the demo took ${((Date.now() - began) / 1000).toFixed(0)} s.`);
    const { best, baseline } = JSON.parse(readFileSync(join(short, 'result.json'), 'utf8')) as {
      best: { accuracy: number };
      baseline: { metric: string; value: number };
    };
    console.log(
      `Accuracy ${best.accuracy.toFixed(3)}; the commonest section alone ${baseline.value.toFixed(3)}.`,
    );
    expect(baseline.metric).toBe('accuracy');
    expect(best.accuracy).toBeGreaterThan(baseline.value + 0.2);
    const finished = await Dashboard.in(window);
    await expect.poll(() => finished.frame.locator('.state').innerText()).toBe('Finished');
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
