import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

const TEXT = `{
  // The fixture model.
  "model": { "path": "model.onnx", "maxLength": 16 },
  "data": {
    "train": "train.jsonl",
    "validation": "validation.jsonl"
  },
  "adapter": {
    "method": "aurora", // nonlinear
    "rank": 2,
    "targetModules": [
      "query",
      "valeu"
    ] /* of the paper */
  }
}
`;

/**
 * An experiment in the text editor (CodeLens, fixes, completion, hover, links, diagnostics) and its budget
 * beside it.
 */
describe('editing an experiment, in VS Code 1.100', () => {
  const lab = tinyWorkspace({ training: { epochs: 1 } });
  let server: WorkbenchServer;
  let window: Window;

  beforeAll(async () => {
    expect(lab.run('train', lab.experiment).code).toBe(0);
    lab.write('edited.aurora.json', TEXT);
    server = await startWorkbench({
      version: '1.100',
      name: 'editor',
      vsix: vsixHere(),
      // On a desktop, the user saves files manually.
      settings: { 'files.autoSave': 'off' },
    });
    window = await Window.open(server, lab.folder);
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  const lenses = async () =>
    (await window.page.locator('.codelens-decoration').allInnerTexts()).join('\n').replaceAll('\u00a0', ' ');
  const lens = (text: string) => window.page.locator('.codelens-decoration a', { hasText: text }).first();
  const shownText = async () =>
    (await window.page.locator('.editor-instance .view-lines').first().innerText()).replaceAll('\u00a0', ' ');

  async function goTo(line: number, column: number): Promise<void> {
    const box = window.page.locator('.quick-input-widget input:not([type="checkbox"])').first();
    for (let tries = 1; ; tries++)
      try {
        await window.page.keyboard.press('Control+g');
        await box.fill(`:${line}:${column}`, { timeout: 15_000 });
        await window.page.keyboard.press('Enter');
        return await window.statusBar(`Ln ${line}, Col ${column}`).waitFor({ timeout: 15_000 });
      } catch (e) {
        // A focus that arrives late closes the box again.
        if (tries === 5) throw e;
        await window.page.keyboard.press('Escape');
      }
  }

  async function suggestions(): Promise<string[]> {
    await window.page.keyboard.press('Control+Space');
    const rows = window.page.locator('.suggest-widget .monaco-list-row');
    await rows.first().waitFor();
    const found = await rows.evaluateAll((list) => list.map((row) => row.getAttribute('aria-label') ?? ''));
    await window.page.keyboard.press('Escape');
    return found;
  }

  async function untilHover(says: RegExp): Promise<void> {
    await window.palette('Show or Focus Hover');
    await expect
      .poll(async () =>
        (await window.page.locator('.monaco-hover:visible').allInnerTexts())
          .join('\n')
          .replaceAll('\u00a0', ' '),
      )
      .toMatch(says);
    await window.page.keyboard.press('Escape');
  }

  test('CodeLenses show actions, the budget and the runs, and the last leads to the row in the tree', async () => {
    await window.openFile('tiny.aurora.json');
    await expect.poll(lenses, { timeout: 900_000 }).toMatch(/592 trainable, 29% of LoRA r=8/);
    await expect
      .poll(() => lenses())
      .toMatch(/Run[^]*Preflight[^]*Show Tokens[^]*Budget[^]*1 run · best accuracy [\d.]+%/);
    await lens('1 run').click();
    const focused = window.page.locator('.sidebar .monaco-list-row.focused');
    await expect.poll(() => focused.getAttribute('aria-label')).toMatch(/^Experiment tiny, 1 run/);
  });

  test('a target that matches nothing is marked and can be fixed by keyboard', async () => {
    await window.openFile('edited.aurora.json');
    await window.statusBar('Ln 1, Col 1').waitFor();
    await window.page.locator('.squiggly-warning, .squiggly-error').first().waitFor();
    await goTo(13, 9);
    await untilHover(
      /"valeu" matches no module of the model\. Nearest: value[^]*Matches none of 12 linear layers/,
    );
    await window.page.keyboard.press('Control+.');
    await window.page.locator('.action-widget', { hasText: 'Replace with "value"' }).waitFor();
    await window.page.keyboard.press('Enter');
    await expect.poll(shownText).toContain('"value"');
    await expect.poll(lenses).toMatch(/592 trainable/);
  });

  test('completion offers files, modules and columns', async () => {
    await goTo(12, 9);
    expect(await suggestions()).toEqual(expect.arrayContaining([expect.stringMatching(/^query, 2 modules/)]));
    await goTo(5, 15);
    expect(await suggestions()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^train\.jsonl/),
        expect.stringMatching(/^validation\.jsonl/),
      ]),
    );
    await goTo(6, 37);
    await window.page.keyboard.type(', "labelColumn": "');
    expect(await suggestions()).toEqual(
      expect.arrayContaining([expect.stringMatching(/^label, 2 different values/)]),
    );
    await window.page.keyboard.press('Escape');
    // One undo at a time with a check in between, because one too many would undo the previous test's fix.
    for (let text = await shownText(); text.includes('validation.jsonl",'); text = await shownText()) {
      await window.page.keyboard.press('Control+z');
      await expect.poll(shownText).not.toBe(text);
    }
    await expect.poll(() => shownText()).toContain('"value"');
  });

  test("hover shows units and the paper's value, and paths are links to their files", async () => {
    await goTo(10, 7);
    await untilHover(/rank/i);
    await window.page.locator('.detected-link', { hasText: 'train.jsonl' }).first().waitFor();
    // With the editor's command, because a Ctrl+click redraws the link under the mouse.
    await goTo(5, 15);
    await window.palette('Open Link');
    await window.tab('train.jsonl').waitFor();
  });

  test("the Budget CodeLens opens the calculator with the experiment's values", async () => {
    await window.openFile('edited.aurora.json');
    await lens('Budget').click();
    await window.tab('Budget: edited').waitFor();
    const page = await window.frameWith('aurora-budget .total');
    await expect.poll(() => page.locator('.total strong').innerText()).toBe('592');
    await expect.poll(() => page.locator('#rank input').inputValue()).toBe('2');
  });

  test('the calculator reports invalid input at its field', async () => {
    const page = await window.frameWith('aurora-budget .total');
    await page.locator('#rank input').fill('zero');
    await expect
      .poll(() => page.locator('[data-field="rank"]').innerText())
      .toContain('The rank is zero, but it must be a whole number of at least 1.');
    await page.locator('#rank input').fill('2');
    await expect.poll(() => page.locator('.total strong').innerText()).toBe('592');
  });

  test('writing keeps the comments, and a single Undo reverts it', async () => {
    const page = await window.frameWith('aurora-budget .total');
    await page.locator('#rank input').fill('3');
    await expect.poll(() => page.locator('.total strong').innerText()).toBe('900');
    await page.getByRole('button', { name: 'Write to Experiment' }).click();
    await page.getByText('Use Undo in its editor to revert it.').first().waitFor();
    await window.tab('edited.aurora.json').click();
    const fixed = TEXT.replace('valeu', 'value');
    const lines = (text: string) => text.trimEnd().split('\n');
    await expect
      .poll(async () => lines(await shownText()))
      .toEqual(lines(fixed.replace('"rank": 2', '"rank": 3')));
    await goTo(1, 1);
    await window.page.keyboard.press('Control+z');
    await expect.poll(async () => lines(await shownText())).toEqual(lines(fixed));
    expect(readFileSync(lab.path('edited.aurora.json'), 'utf8'), 'nothing was saved').toBe(TEXT);
  });

  test('the calculator follows an edit of the text', async () => {
    await goTo(10, 13);
    await window.page.keyboard.press('Shift+ArrowRight');
    await window.page.keyboard.type('4');
    await expect.poll(lenses).toMatch(/1,216 trainable/);
    await window.tab('Budget: edited').click();
    const page = await window.frameWith('aurora-budget .total');
    await expect.poll(() => page.locator('.total strong').innerText()).toBe('1,216');
  });

  test("the calculator counts the paper's shape", async () => {
    const page = await window.frameWith('aurora-budget .total');
    await page.locator('#rank input').fill('2');
    await page.locator('vscode-dropdown#model').click();
    await page
      .locator('vscode-option', { hasText: /RoBERTa-Base/i })
      .first()
      .click();
    await expect.poll(() => page.locator('.total strong').innerText()).toBe('74,208');
  });

  test('Run asks before it runs a file with errors, which stay when it is closed until the data are corrected', async () => {
    const { keyboard } = window.page;
    const problems = window.page.locator('.markers-panel .monaco-list-row', {
      hasText: 'has a header but no rows',
    });
    lab.write('empty.csv', 'text,label\n');
    lab.write('wrong.aurora.json', TEXT.replace('valeu', 'value').replace('train.jsonl', 'empty.csv'));
    await window.openFile('wrong.aurora.json');
    await window.palette('AuroRA: Run Experiment');
    await window.modal('empty.csv has a header but no rows', 'Show Problems');
    await problems.waitFor();
    await window.tab('wrong.aurora.json').click({ button: 'middle' });
    await window.tab('wrong.aurora.json').waitFor({ state: 'detached' });
    await window.page.waitForTimeout(1000);
    expect(await problems.count()).toBe(1);
    lab.write('empty.csv', 'text,label\na b,yes\nc d,no\n');
    await problems.waitFor({ state: 'detached' });
    await keyboard.press('Escape');
  });

  test('a misspelt key is one error with its fix, also when the file is closed', async () => {
    const problems = window.page.locator('.markers-panel .monaco-list-row', { hasText: 'misspelt' });
    const about = window.page.locator('.markers-panel .monaco-list-row', { hasText: '"rank"?' });
    lab.write('misspelt.aurora.json', TEXT.replace('valeu', 'value').replace('"rank"', '"rnak"'));
    await window.openFile('misspelt.aurora.json');
    await window.palette('Problems: Focus on Problems View');
    await about.waitFor();
    const shown = async () => [await problems.innerText(), await about.allInnerTexts()].join(' ');
    const one = /adapter\.rnak is not a known key for the method aurora; did you mean "rank"\?[^]*AuroRA/;
    await expect.poll(shown).toMatch(one);
    expect(await about.locator('.codicon-error').count()).toBe(1);
    expect(await problems.locator('.monaco-count-badge').innerText()).toBe('1');
    await window.tab('misspelt.aurora.json').click({ button: 'middle' });
    await window.tab('misspelt.aurora.json').waitFor({ state: 'detached' });
    // Diagnostics of a closed file are made again within seconds: wait until those are there that closing causes.
    const twice = TEXT.replace('"rank"', '"rnak"').replace('"targetModules"', '"targetModule"');
    lab.write('misspelt.aurora.json', twice);
    await window.page.locator('.markers-panel .monaco-list-row', { hasText: '"targetModules"?' }).waitFor();
    expect(await about.count()).toBe(1);
    expect(await problems.locator('.monaco-count-badge').innerText()).toBe('2');
  });

  test('a preflight marks a bad row with a link to its line and a fix', async () => {
    lab.write('bad.jsonl', `${lab.read('train.jsonl')}{"text": "", "label": "pets"}\n`);
    const line = lab.read('bad.jsonl').trimEnd().split('\n').length;
    lab.write('bad.aurora.json', TEXT.replace('valeu', 'value').replace('train.jsonl', 'bad.jsonl'));
    await window.openFile('bad.aurora.json');
    await window.palette('AuroRA: Run Preflight');
    await window.said(/bad\.jsonl.*"text" is empty/);
    await window.tab('bad.aurora.json').click();
    await goTo(5, 16);
    await window.page.keyboard.press('Control+.');
    const fixes = window.page.locator('.action-widget', { hasText: 'Set data.onBadRow to "skip"' });
    await fixes.filter({ hasText: `Open bad.jsonl, line ${line}` }).waitFor();
    await window.page.keyboard.press('ArrowDown');
    await window.page.keyboard.press('Enter');
    await window.tab('bad.jsonl').waitFor();
    await window.statusBar(`Ln ${line}, Col 1`).waitFor();
    // It opened beside: later tests type into the only group.
    await window.tab('bad.jsonl').click({ button: 'middle' });
    await window.tab('bad.jsonl').waitFor({ state: 'detached' });
  });

  test('an experiment can be duplicated with its comments, and a run’s settings are shown read-only', async () => {
    const { keyboard } = window.page;
    await window.openFile('edited.aurora.json');
    await window.palette('AuroRA: Duplicate Experiment');
    await window.input('Name of the new experiment', 'again');
    await window.tab('again.aurora.json').waitFor();
    expect(lab.read('again.aurora.json')).toBe(lab.read('edited.aurora.json'));
    await window.palette('AuroRA: Open Run Settings');
    await window.tab('spec.json').waitFor();
    await window.page.locator('.editor-instance .view-line').first().click();
    await keyboard.type('x');
    await window.page.locator('.monaco-editor-overlaymessage', { hasText: 'read-only' }).waitFor();
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
