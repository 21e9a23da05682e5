import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runNumbers } from '../../src/runs/numbers';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/**
 * Finished runs, a damaged one and one that failed before it started: viewed, marked, compared, deleted and
 * restored.
 */
describe('the Experiments tree, in VS Code 1.100', () => {
  const lab = tinyWorkspace({ training: { epochs: 2, checkpointEvery: 6 } });
  const runs = join(lab.folder, '.aurora/runs/tiny');
  let server: WorkbenchServer;
  let window: Window;

  beforeAll(async () => {
    for (let i = 0; i < 3; i++) expect(lab.run('train', lab.experiment).code).toBe(0);
    damagedRun();
    failedRun();
    server = await startWorkbench({ version: '1.100', name: 'tree', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.row('tiny').waitFor();
  });
  beforeEach(async () => {
    pictureOnFailure(window);
    // A tooltip covers the rows below its own. One that appears late closes at the next move, and one that has the pointer
    // or the focus with Escape.
    const tooltips = window.page.locator('.monaco-hover:visible');
    for (let tries = 0; tries < 50; tries++) {
      for (const x of [900, 905]) await window.page.mouse.move(x, 600);
      if ((await tooltips.count()) === 0) break;
      if (tries > 10) await window.page.keyboard.press('Escape');
      await window.page.waitForTimeout(100);
    }
  });
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  /** A run with nothing readable in it (T6). */
  function damagedRun(): void {
    const folder = join(runs, '20250101T000000Z-dead0000');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'spec.json'), '{"half');
  }

  /** As the trainer leaves it if the experiment cannot be read, without spec.json. */
  function failedRun(): void {
    lab.write('broken.aurora.json', '{ "model": 1, ');
    const folder = join(lab.folder, '.aurora/runs/broken/20250102T000000Z-bad00000');
    mkdirSync(folder, { recursive: true });
    expect(lab.run('train', lab.path('broken.aurora.json'), '--run', folder).code).not.toBe(0);
    expect(existsSync(join(folder, 'spec.json'))).toBe(false);
  }

  const spoken = (): Promise<string[]> =>
    window
      .pane('Experiments')
      .locator('.monaco-list-row')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label') ?? ''));
  const untilSpoken = (what: RegExp) =>
    expect.poll(spoken, { timeout: 900_000 }).toEqual(expect.arrayContaining([expect.stringMatching(what)]));
  const finished = () =>
    readdirSync(runs)
      .filter((id) => !id.startsWith('2025'))
      .sort();
  /** A run's name in the tree before anyone renames it. */
  const nameOf = (id: string) => `#${runNumbers(runs).get(id)} AuroRA r2`;
  const titles = () => window.page.locator('.tabs-container .tab').allInnerTexts();

  async function menuOf(row: string | RegExp): Promise<string[]> {
    await window.row(row).click({ button: 'right' });
    await window.page.locator('.monaco-menu .action-label').first().waitFor();
    const labels = await window.page.locator('.monaco-menu .action-label').allInnerTexts();
    await window.page.keyboard.press('Escape');
    await window.page.locator('.monaco-menu').waitFor({ state: 'hidden' });
    return labels.filter((label) => label !== '');
  }

  async function untilTooltip(row: string | RegExp, says: RegExp | string): Promise<void> {
    await window.page.mouse.move(900, 600);
    await window.row(row).hover();
    const hovers = window.page.locator('.monaco-hover:visible, .workbench-hover:visible');
    const text = async () => (await hovers.allInnerTexts()).join('\n').replaceAll('\u00a0', ' ');
    await (typeof says === 'string'
      ? expect.poll(text, { timeout: 900_000 }).toContain(says)
      : expect.poll(text, { timeout: 900_000 }).toMatch(says));
    await window.page.mouse.move(900, 600);
  }

  /**
   * In the browser, the workbench occasionally opens a workspace file before it can read it, and then shows
   * no folder.
   */
  async function openWorkspace(file: string): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      await window.page.goto(server.url(file).replace('?folder=', '?workspace='));
      await window.sideBar();
      const row = window.page.locator('.sidebar .monaco-list-row').first();
      const empty = window.pane('Experiments').getByText('Open a folder for your experiments');
      await row.or(empty).first().waitFor();
      if (!(await empty.isVisible())) return;
    }
  }

  test('each row has an icon and an accessible description', async () => {
    await untilSpoken(/^Experiment tiny, 4 runs/);
    const rows = await spoken();
    expect(rows.filter((row) => /^Run #\d AuroRA r2, finished, [\d.]+% accuracy/.test(row))).toHaveLength(3);
    await window.row(nameOf(finished()[0])).locator('.codicon-pass-filled').waitFor();
  });

  test('a damaged run hides no other and shows its error (T6)', async () => {
    await untilSpoken(/^Run 2025-01-0\d .* dead, damaged/);
    await untilTooltip('dead', /spec\.json is not valid JSON/);
  });

  test('a run that failed before its experiment was read shows the reason and a hint', async () => {
    await untilSpoken(/^Run 2025-01-0\d .* bad0, failed, broken\.aurora\.json:1:\d+: this is not valid JSON/);
    await untilTooltip(
      'bad0',
      /broken\.aurora\.json:1:\d+: this is not valid JSON[^]*comments and trailing commas are allowed/,
    );
    await window.row('bad0').click();
    const page = await window.frameWith('aurora-run .message.error');
    expect(await page.locator('.message.error').innerText()).toMatch(/not valid JSON/);
  });

  test('events of an unknown or newer kind are ignored (T11)', async () => {
    const journal = join(runs, finished()[0], 'events.jsonl');
    const { length } = readFileSync(journal, 'utf8').trimEnd().split('\n');
    appendFileSync(journal, `${JSON.stringify({ v: 1, seq: length, t: Date.now(), kind: 'sneezed' })}\n`);
    appendFileSync(journal, `${JSON.stringify({ v: 99, seq: length + 1, t: 0, kind: 'failed' })}\n`);
    await window.palette('AuroRA: Refresh');
    await window.page.waitForTimeout(1000);
    expect((await spoken()).filter((row) => /^Run #\d AuroRA r2.*, finished/.test(row))).toHaveLength(3);
  });

  test('adapters and checkpoints are listed below a run, and each kind of row has its menu', async () => {
    const [oldest] = finished();
    await window.expand(window.row(nameOf(oldest)));
    await untilSpoken(/^Best adapter, PEFT files · [\d.]+ KB/);
    await untilSpoken(/^Checkpoint at step 6/);
    expect(await menuOf('Checkpoint at step 6')).toEqual([
      'Fork Run',
      'Export Run',
      'Publish Adapter',
      'Show Errors',
      'Open Playground',
      'Reveal Run Folder',
      'Copy Path',
      'Open in Terminal',
    ]);
    expect(await menuOf('Best adapter')).toEqual([
      'Export Run',
      'Publish Adapter',
      'Show Errors',
      'Open Playground',
      'Reveal Run Folder',
      'Copy Path',
      'Open in Terminal',
    ]);
    expect(await menuOf(/^tiny/)).toContain('Open Budget Calculator');
    expect(await menuOf(nameOf(oldest))).toEqual(
      expect.arrayContaining(['Fork Run', 'Compare Runs', 'Star Run', 'Copy Diagnostics', 'Delete Run']),
    );
    const damaged = await menuOf('dead');
    expect(damaged).toEqual(expect.arrayContaining(['Copy Diagnostics', 'Delete Run']));
    expect(damaged).not.toContain('Resume Run');
    expect(await menuOf('bad0')).not.toContain('Resume Run');
    await window.row(nameOf(oldest)).locator('.monaco-tl-twistie').click();
  });

  test('F2 renames a run in the tree and on the open dashboard', async () => {
    const [, middle] = finished();
    await window.row(nameOf(middle)).click();
    await window.tab(nameOf(middle)).waitFor();
    // A click opens the dashboard and leaves the focus in the tree.
    await window.page.keyboard.press('F2');
    await window.input('Rename run', 'the good one');
    await untilSpoken(/^Run #\d the good one, finished/);
    await window.tab(/^#\d the good one/).waitFor();
  });

  test('a star moves a run to the top, and a note appears in its tooltip', async () => {
    const [oldest] = finished();
    await window.contextMenu(window.row(nameOf(oldest)), 'Star Run');
    await untilSpoken(/^Run .*, finished, starred/);
    const ofTiny = (await spoken()).filter((row) => /^Run #\d+ (AuroRA|the good)/.test(row));
    expect(ofTiny[0]).toContain(nameOf(oldest));
    await window.contextMenu(window.row(nameOf(oldest)), 'Edit Run Note');
    await window.input('Note for run', 'rate *too* high [a](b) $(zap)');
    await untilTooltip(nameOf(oldest), 'rate *too* high [a](b) $(zap)');
    await window.contextMenu(window.row(nameOf(oldest)), 'Unstar Run');
    await expect.poll(async () => (await spoken()).some((row) => /starred/.test(row))).toBe(false);
  });

  test('runs can be filtered, with a message while filtered, and the filter can be cleared', async () => {
    await window.palette('AuroRA: Filter Runs');
    await window.input('Filter runs', 'good');
    await expect.poll(async () => (await spoken()).filter((row) => /^Run /.test(row)).length).toBe(1);
    await window.pane('Experiments').getByText('"good": 1 of 5 runs').waitFor();
    await window.palette('AuroRA: Filter Runs');
    await window.input('Filter runs', 'no such words');
    await window.pane('Experiments').getByText('No runs match the filter.').waitFor();
    await window.pane('Experiments').getByRole('button', { name: 'Clear Filter' }).click();
    await untilSpoken(/^Experiment tiny, 4 runs/);
  });

  test('runs can be sorted by name and by time again', async () => {
    const order = async () =>
      (await spoken()).filter((row) => /finished/.test(row)).map((row) => row.slice(4));
    const byName = (a: string, b: string) => a.localeCompare(b, undefined, { numeric: true });
    await window.palette('AuroRA: Sort Runs');
    await window.pick('By name');
    await expect.poll(order).toEqual((await order()).sort(byName));
    expect((await order())[1]).toMatch(/^#2 the good one/);
    await window.palette('AuroRA: Sort Runs');
    await window.pick('Newest first');
    await expect.poll(async () => (await order())[1]).toMatch(/^#\d the good one/);
  });

  test('two selected runs are compared, and their settings open in the diff editor', async () => {
    const [oldest, , newest] = finished();
    await window.row(nameOf(oldest)).click();
    await window.row(nameOf(newest)).click({ modifiers: ['Control'] });
    await window.contextMenu(window.row(nameOf(newest)), 'Compare Runs');
    await window.tab('Compare 2 runs').waitFor();
    const page = await window.frameWith('aurora-run .run-block, aurora-run header, aurora-run h1');
    await page.getByText(nameOf(oldest)).first().waitFor();
    await page.getByText(nameOf(newest)).first().waitFor();
    await window.contextMenu(window.row(nameOf(newest)), 'Compare Run Settings');
    await window.pressToast(
      `${nameOf(oldest)} and ${nameOf(newest)} have the same settings`,
      'Show All Settings',
    );
    await window.tab(`Settings: ${nameOf(oldest)} ↔ ${nameOf(newest)}`).waitFor();
    await window.page.locator('.monaco-diff-editor .view-line').first().waitFor();
    // An editor that takes the focus late closes a menu.
    await window.settled();
  });

  test('diagnostics contain versions and the run, and no home folder', async () => {
    // While several rows are selected, menus have only what applies to all of them.
    await window.row('the good one').click();
    await window.contextMenu(window.row('the good one'), 'Copy Diagnostics');
    await window.statusBar('Diagnostics copied to the clipboard.').waitFor();
    const text = await window.page.evaluate(() => navigator.clipboard.readText());
    for (const part of [
      'AuroRA Lab: 0.1.0',
      '1.100',
      'ONNX Runtime: 1.30.0',
      '- State: finished',
      '"rank": 2',
    ])
      expect(text).toContain(part);
    expect(text).not.toContain(join(server.profile, 'home'));
  });

  test("a run's log and folder can be opened", async () => {
    await window.contextMenu(window.row('the good one'), 'Show Trainer Log');
    await window.tab(/^Log of #\d the good one/).waitFor();
    await window.contextMenu(window.row('the good one'), 'Reveal Run Folder');
    await window.toast(finished()[1]).waitFor();
    await window.pressToast(finished()[1], 'Copy Path');
    await expect
      .poll(() => window.page.evaluate(() => navigator.clipboard.readText()))
      .toBe(join(runs, finished()[1]));
  });

  test('Delete names the run and the trash, and Undo restores it', async () => {
    const before = finished();
    await window.contextMenu(window.row('the good one'), 'Delete Run');
    const asked = await window.page.locator('.monaco-dialog-box').innerText();
    expect(asked).toMatch(/"#\d the good one"/);
    expect(asked).toContain(join(lab.folder, '.aurora/trash'));
    // Enter alone must not delete.
    await window.page.keyboard.press('Enter');
    await window.page.locator('.monaco-dialog-box').waitFor({ state: 'hidden' });
    expect(finished()).toEqual(before);
    await window.contextMenu(window.row('the good one'), 'Delete Run');
    await window.modal('the good one', 'Delete');
    await window.toast(/Deleted "#\d the good one"/).waitFor();
    await expect.poll(async () => (await spoken()).some((row) => /the good one/.test(row))).toBe(false);
    expect(finished()).toHaveLength(2);
    await window.pressToast(/Deleted "#\d the good one"/, 'Undo');
    await untilSpoken(/^Run #\d the good one, finished/);
    expect(finished()).toEqual(before);
  });

  test('several runs are deleted with the Delete key and restored from the list under their names', async () => {
    const before = finished();
    await window.row('the good one').click();
    await window.row(nameOf(before[2])).click({ modifiers: ['Control'] });
    await window.page.keyboard.press('Delete');
    await window.modal('Delete 2 runs', 'Delete');
    await expect.poll(() => finished().length).toBe(1);
    await window.palette('AuroRA: Restore Deleted Run');
    const list = window.page.locator('.quick-input-list .monaco-list-row');
    await list.filter({ hasText: 'the good one' }).waitFor();
    await list.filter({ hasText: nameOf(before[2]) }).waitFor();
    await window.page.locator('.quick-input-widget [role="checkbox"]').first().click();
    await window.page.locator('.quick-input-widget .monaco-button', { hasText: 'OK' }).click();
    await untilSpoken(/^Run #\d the good one, finished/);
    expect(finished()).toEqual(before);
  });

  test('the Machine view shows what can train on this machine', async () => {
    await window.pane('Machine').locator('.pane-header').click();
    const said = () =>
      window
        .pane('Machine')
        .locator('.monaco-list-row')
        .evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label')).join('\n'));
    await expect.poll(said, { timeout: 900_000 }).toMatch(/^Memory: .* free of/m);
    await expect.poll(() => said()).toMatch(/^Node: \d+.* from the extension$/m);
    await expect.poll(() => said()).toMatch(/^ONNX Runtime: 1\.30\.0$/m);
    await window.pane('Machine').locator('.pane-header').click();
  });

  test('a workspace of two folders shows the experiments of both, with their folders', async () => {
    const second = join(lab.folder, '..', `second-${process.pid}`);
    try {
      mkdirSync(join(second, 'deep'), { recursive: true });
      cpSync(lab.experiment, join(second, 'tiny.aurora.json'));
      cpSync(lab.experiment, join(second, 'deep/other.aurora.json'));
      const file = join(second, 'two.code-workspace');
      writeFileSync(
        file,
        JSON.stringify({
          folders: [
            { path: lab.folder, name: 'First' },
            { path: second, name: 'Second' },
          ],
        }),
      );
      await openWorkspace(file);
      await untilSpoken(/^Experiment tiny, First, 4 runs/);
      await untilSpoken(/^Experiment tiny, Second, no runs yet/);
      await untilSpoken(/^Experiment other, Second\/deep, no runs yet/);
    } finally {
      rmSync(second, { recursive: true, force: true });
    }
  });

  test('of hundreds of runs below a row, the first are shown, and more on request', async () => {
    const many = join(lab.folder, 'many');
    const idOf = (i: number) => `20260101T000000Z-${String(i).padStart(4, '0')}0000`;
    /** Copies have no numbers until a trainer gives them some. */
    const shown = (i: number) => `AuroRA r2 · ${String(i).padStart(4, '0')}`;
    const isSmall = (path: string) => !/(checkpoints|adapter)$/.test(path);
    for (let i = 0; i < 203; i++)
      cpSync(join(runs, finished()[0]), join(many, '.aurora/runs/tiny', idOf(i)), {
        recursive: true,
        filter: isSmall,
      });
    cpSync(lab.experiment, join(many, 'tiny.aurora.json'));
    await expect.poll(() => window.page.goto(server.url(many)).then(Boolean, () => false)).toBe(true);
    await window.sideBar();
    await untilSpoken(/^Experiment tiny, 203 runs/);
    const scrollTo = (row: string) =>
      expect
        .poll(async () => {
          await window.page.mouse.wheel(0, 1000);
          return window.row(row).isVisible();
        })
        .toBe(true);
    await window.row(shown(202)).hover();
    await scrollTo('Show More');
    const seen = async () => (await spoken()).join('\n');
    expect(await seen()).toMatch(/^Show More, 3 more runs$/m);
    expect(await seen()).toContain(shown(3));
    expect(await seen()).not.toContain(shown(2));
    await window.row('Show More').click();
    // Whoever uses the keyboard continues in the row's place.
    const focused = window.pane('Experiments').locator('.monaco-list-row.focused');
    await expect.poll(() => focused.allInnerTexts()).toEqual([expect.stringContaining(shown(2))]);
    await scrollTo(shown(0));
    expect(await seen()).not.toContain('Show More');
  });

  test('a folder without experiments and an empty window show a message with a next step', async () => {
    const bare = join(lab.folder, 'bare');
    mkdirSync(bare);
    // The window of the test before may still be closing its workspace.
    await expect.poll(() => window.page.goto(server.url(bare)).then(Boolean, () => false)).toBe(true);
    await window.sideBar();
    await window.pane('Experiments').getByText('No experiments in this folder yet.').waitFor();
    await window
      .pane('Experiments')
      .getByRole('button', { name: 'New Experiment', exact: true })
      .last()
      .waitFor();
    await window.page.goto(server.url());
    await window.sideBar();
    await window.pane('Experiments').getByText('Open a folder for your experiments').waitFor();
    await window.pane('Experiments').getByRole('button', { name: 'Run the Demo' }).waitFor();
  });

  test('no editor opens without being requested', async () => expect(await titles()).toEqual([]));

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
