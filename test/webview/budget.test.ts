import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { estimate } from '../estimate';
import { loadModel } from '../../src/graph/file/load';
import { summarize } from '../../src/graph/summary';
import { BudgetSession } from '../../src/extension/panels/budget/budget-session';
import { parseBudgetMessage, type BudgetFromPage } from '../../src/protocol/panels/budget';
import { sender } from './bridge';
import { closePages, LOOKS, openPanel, type Opened } from './harness';
import { expectSoundInAllLooks } from './sound';

const FILE = resolve('test/fixtures/reference/tiny.aurora.json');
const BERT = resolve('test/fixtures/reference/bert.onnx');
const TEXT = `{
  // A comment that stays.
  "model": { "path": "bert.onnx", "maxLength": 16 },
  "adapter": { "targetModules": ["query", "valeu"], "rank": 3, "rankPattern": { "layer.1.query": 5 } }
}`;

let panel: Opened | undefined;
let stop = () => {};
afterEach(async () => {
  stop();
  await panel?.close();
  panel = undefined;
});
afterAll(closePages);

/** The built page, connected to the extension's own session instead of VS Code. */
async function open(
  options: Parameters<typeof openPanel>[1] & { file?: string; text?: string } = {},
): Promise<{ opened: Opened; heard: BudgetFromPage[]; session: BudgetSession }> {
  const { file, text, ...rest } = options;
  const opened = (panel = await openPanel('budget', rest));
  const heard: BudgetFromPage[] = [];
  const session = new BudgetSession(
    {
      // A page that a test has closed receives nothing more.
      post: sender(opened).post,
      modelFiles: () => Promise.resolve([{ path: BERT, label: 'models/bert.onnx' }]),
      inspect: async (path) => ({
        ...summarize(loadModel(path)),
        step: await estimate(path, { batch: 8, length: 16 }),
      }),
      cached: () => undefined,
      estimate,
    },
    file,
  );
  await opened.send({ type: 'init', open: file === undefined ? {} : { file }, l10n: {} });
  await session.show(text);
  let going = true;
  let taken = 0;
  const pump = (async () => {
    while (going) {
      const sent = await opened.sent();
      for (const raw of sent.slice(taken)) {
        taken++;
        if (raw.type === 'ready') continue;
        const message = parseBudgetMessage(raw);
        if (!message) throw new Error(`The host would not take ${JSON.stringify(raw)}.`);
        heard.push(message);
        if (message.type === 'compute') await session.compute(message.seq, message.fields);
        if (message.type === 'estimate') await session.estimate(message.seq, message.fields, message);
      }
      await new Promise((done) => setTimeout(done, 15));
    }
  })().catch((e: Error) => {
    if (going) throw e;
  });
  stop = () => {
    going = false;
    void pump;
  };
  await opened.page.locator('.total, .problem.large').waitFor();
  return { opened, heard, session };
}

const total = (opened: Opened) => opened.page.locator('.total strong').innerText();
const untilTotal = (opened: Opened, text: string) =>
  opened.page.locator('.total strong', { hasText: new RegExp(`^${text}$`) }).waitFor();
const input = (opened: Opened, name: string) => opened.page.locator(`#${name} input`);

it('the budget page is at most 600 KB', () => {
  expect(statSync(resolve('dist/webview/budget.js')).size).toBeLessThan(600_000);
});

describe('the calculator', () => {
  it('estimates a training step on request, and forgets it once a setting changes', async () => {
    const { opened } = await open({ file: FILE, text: TEXT.replace('valeu', 'value') });
    const { page } = opened;
    const step = page.locator('section.step');
    await page.locator('#step-batch input').fill('4');
    expect(await page.locator('#step-length input').inputValue()).toBe('16');
    await step.getByText('Estimate', { exact: true }).click();
    await step.locator('dt', { hasText: 'Time' }).waitFor();
    expect(await step.locator('dd').first().innerText()).toMatch(/^\d+ MB\s+weights [\d.]+ KB, activations/);
    await input(opened, 'rank').fill('2');
    await step.locator('dl').waitFor({ state: 'detached' });
    await page.locator('#step-batch input').fill('0');
    await step.locator('.problem', { hasText: 'whole numbers of at least 1' }).waitFor();
  });

  it("shows the paper's counts and updates them while typing", async () => {
    const { opened } = await open();
    expect(await total(opened)).toBe('74,208');
    const { page } = opened;
    const row = (name: string) =>
      page.locator('table.comparison tr', { hasText: name }).locator('td').allInnerTexts();
    expect(await row('Trainable parameters')).toEqual(['74,208', '294,912', '73,728']);
    await input(opened, 'rank').fill('4');
    await untilTotal(opened, '148,608');
    await page.locator('#spline').click();
    await page.locator('#spline vscode-option', { hasText: 'One per pair of dimensions' }).click();
    await untilTotal(opened, '150,912');
    await input(opened, 'loraRank').fill('16');
    await page.locator('table.comparison th', { hasText: 'LoRA r=16' }).waitFor();
    const method = async (name: string) => {
      await page.locator('#method').click();
      await page.locator('#method vscode-option', { hasText: name }).first().click();
    };
    await method('MoSLoRA');
    await untilTotal(opened, '147,840');
    expect(await input(opened, 'gridSize').count()).toBe(0);
    await method('FourierFT');
    await untilTotal(opened, '24,000');
    expect(await input(opened, 'rank').count()).toBe(0);
    await input(opened, 'frequencies').fill('500');
    await untilTotal(opened, '12,000');
    await method('Full fine-tuning');
    await untilTotal(opened, '14,155,776');
    await method('DoRA');
    await untilTotal(opened, '165,888');
    expect(await opened.complaints()).toEqual([]);
  });

  it('has the block size as control of OFT, BOFT and C³A, and reports one that does not fit at it', async () => {
    const { opened } = await open();
    const { page } = opened;
    const choose = async (name: string) => {
      await page.locator('#method').click();
      await page.getByRole('option', { name, exact: true }).click();
    };
    await input(opened, 'rank').fill('2');
    await choose('C³A');
    await input(opened, 'blockSize').fill('192');
    // 24 layers of 768 × 768 / 192.
    await untilTotal(opened, '73,728');
    expect(await input(opened, 'rank').count()).toBe(0);
    await choose('BOFT');
    await input(opened, 'blockSize').fill('4');
    await untilTotal(opened, '92,160');
    await input(opened, 'blockSize').fill('7');
    const problem = page.locator('[data-field=blockSize] .problem');
    await problem.waitFor();
    expect(await problem.innerText()).toContain('adapter.blockSize 7 does not fit');
    expect(await total(opened)).toBe('92,160');
    await choose('OFT');
    // The nearest that divides 768 is 6.
    await untilTotal(opened, '46,080');
    await input(opened, 'blockSize').fill('32');
    await untilTotal(opened, '285,696');
    expect(await problem.count()).toBe(0);
    expect(await opened.complaints()).toEqual([]);
  });

  it('shows the value of another setting at once where its field replaces one', async () => {
    const { opened } = await open();
    const shown = await opened.page.evaluate(async () => {
      // The toolkit changes its elements in the next frame.
      window.requestAnimationFrame = () => 0;
      const list = document.querySelector<HTMLSelectElement>('#method')!;
      list.value = 'c3a';
      list.dispatchEvent(new Event('change'));
      await new Promise((done) => setTimeout(done));
      return document.querySelector('#blockSize')!.shadowRoot!.querySelector('input')!.value;
    });
    expect(shown).toBe('256');
  });

  it('keeps the option that was moved to in an open list when the page changes', async () => {
    const { opened } = await open();
    const { page } = opened;
    await page.locator('#method').focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowDown');
    await opened.send({ type: 'written', ok: true, message: 'Written.' });
    await page.evaluate(() => new Promise(requestAnimationFrame));
    await page.keyboard.press('Enter');
    await untilTotal(opened, '73,728');
  });

  it('uses the targets of the selected shape', async () => {
    const { opened } = await open();
    await opened.page.locator('#model').click();
    await opened.page.locator('vscode-option', { hasText: 'LLaMA3-8B' }).click();
    await untilTotal(opened, '3,542,144');
    expect(await input(opened, 'names').inputValue()).toBe('q_proj, k_proj, v_proj, up_proj, down_proj');
    expect(await opened.page.locator('table.comparison tbody tr').first().innerText()).toContain(
      '56,623,104',
    );
  });

  it("shows the paper's results for its shapes, with the selected data set marked and its number of tokens filled in", async () => {
    const { opened } = await open();
    const { page } = opened;
    const paper = page.locator('.paper');
    expect(await paper.locator('h2').innerText()).toBe('In the paper (arXiv 2505.18738)');
    const published = paper.locator('table', { hasText: 'Published' });
    expect(await published.locator('tr', { hasText: 'RTE' }).innerText()).toBe('RTE\t78.7\t78.4\t85.2');
    expect(await published.locator('tr', { hasText: 'CoLA' }).innerText()).toContain('Matthews correlation');
    expect(await paper.innerText()).toContain('quoted from earlier papers');
    expect(await paper.innerText()).toMatch(/Not specified in the paper: .*seeds/);
    expect(await paper.locator('tr.chosen').count()).toBe(0);
    await input(opened, 'rank').fill('4');
    await untilTotal(opened, '148,608');
    await page.locator('#recipe').click();
    await page.locator('#recipe vscode-option', { hasText: 'RTE' }).click();
    await untilTotal(opened, '74,208');
    expect(await input(opened, 'tokens').inputValue()).toBe(String(16 * 512));
    expect(await paper.locator('tr.chosen').allInnerTexts()).toEqual([
      'RTE\t78.7\t78.4\t85.2',
      'RTE\t80\t16\t5e-4\t512\tlinear\t0.06',
    ]);
    // A different model has different data sets.
    await page.locator('#model').click();
    await page.locator('#model vscode-option', { hasText: 'ViT-Base' }).click();
    await paper.locator('tr', { hasText: 'without L, the spline' }).waitFor();
    expect(await paper.locator('tr.chosen').count()).toBe(0);
    expect(await paper.innerText()).toMatch(/Not specified in the paper: batch size/);
    await page.locator('#model').click();
    await page.locator('#model vscode-option', { hasText: 'models/bert.onnx' }).click();
    await paper.waitFor({ state: 'detached' });
    expect(await opened.complaints()).toEqual([]);
  });

  it('keeps check boxes and text in sync', async () => {
    const { opened } = await open();
    const box = opened.page.locator('vscode-checkbox', { hasText: /^query/ });
    await box.click();
    await untilTotal(opened, '37,104');
    expect(await input(opened, 'names').inputValue()).toBe('value');
    await input(opened, 'names').fill('query, value, key');
    await untilTotal(opened, '111,312');
    const checked = () => box.evaluate((e: HTMLInputElement) => e.checked);
    expect(await checked()).toBe(true);
    await box.focus();
    await opened.page.keyboard.press('Space');
    await untilTotal(opened, '74,208');
    expect([await checked(), await input(opened, 'names').inputValue()]).toEqual([false, 'value, key']);
  });

  it('reports an error at its field and keeps the last valid counts', async () => {
    const { opened } = await open();
    const problem = (name: string) => opened.page.locator(`[data-field=${name}] .problem`);
    await input(opened, 'rank').fill('0');
    await problem('rank').waitFor();
    expect(await problem('rank').innerText()).toContain('at least 1');
    expect(await total(opened)).toBe('74,208');
    expect(await opened.page.locator('.note', { hasText: 'last valid settings' }).count()).toBe(1);
    await input(opened, 'rank').fill('2');
    await problem('rank').waitFor({ state: 'detached' });
    await input(opened, 'names').fill('qeury');
    await problem('names').waitFor();
    expect(await problem('names').innerText()).toContain('query');
    await opened.page.locator('vscode-radio', { hasText: 'By regular expression' }).click();
    await input(opened, 'regex').fill('(');
    // The message about the empty field disappears only once the host has answered.
    await expect.poll(() => problem('regex').innerText()).toContain('not a valid regular expression');
    expect(await opened.accessibility()).toEqual([]);
  });

  it('shows the values along the ranks by pointer and by keyboard', async () => {
    const { opened } = await open();
    const plot = opened.page.locator('.plot');
    const at = () => plot.getAttribute('aria-valuetext');
    await expect.poll(at).toContain('Rank 2: AuroRA 74,208, LoRA 73,728');
    await plot.focus();
    await opened.page.keyboard.press('ArrowRight');
    await expect.poll(at).toContain('Rank 3: AuroRA');
    await opened.page.keyboard.press('End');
    await expect.poll(at).toContain('Rank 16:');
    const box = (await plot.boundingBox())!;
    await opened.page.mouse.move(box.x + 58, box.y + 100);
    await expect.poll(at).toContain('Rank 1:');
    await opened.page.mouse.move(0, 0);
    expect(await at()).toContain('Rank 2:');
  });

  it('copies exact values as CSV', async () => {
    const { opened, heard } = await open();
    const buttons = opened.page.locator('vscode-button', { hasText: 'Copy as CSV' });
    for (const button of await buttons.all()) if (await button.isVisible()) await button.click();
    await opened.page.locator('summary', { hasText: 'Values as a table' }).click();
    await opened.page.locator('aurora-budget-chart vscode-button').click();
    await expect.poll(() => heard.filter((m) => m.type === 'copy').length).toBe(3);
    const [summary, modules, curves] = heard.filter((m) => m.type === 'copy');
    expect(summary.text).toContain('Trainable parameters,74208,294912,73728');
    expect(modules.text.split('\r\n')[1]).toBe(
      'roberta.encoder.layer.0.attention.self.query,768,768,1,2,3092',
    );
    expect(modules.text.split('\r\n').length).toBe(26);
    expect(curves.text.split('\r\n')[2]).toBe('2,74208,73728,92160,73824,18480');
  });

  it('works by keyboard alone, field by field', async () => {
    const { opened, heard } = await open({ file: FILE, text: TEXT });
    const { page } = opened;
    const focused = () =>
      page.evaluate(() => {
        const e = document.activeElement!;
        return e.id || e.textContent!.trim().slice(0, 30) || e.className;
      });
    await page.locator('h1').click();
    const seen: string[] = [];
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press('Tab');
      seen.push(await focused());
      if (seen.at(-1) === 'rank') {
        await page.keyboard.press('Control+A');
        await page.keyboard.type('4');
        await page.locator('.write code', { hasText: 'adapter.rank: 3 → 4' }).waitFor();
      }
      if (seen.at(-1) === 'Write to Experiment') await page.keyboard.press('Enter');
    }
    for (const name of [
      'model',
      'names',
      'rank',
      'alpha',
      'gridSize',
      'splineOrder',
      'spline',
      'loraRank',
      'tokens',
    ])
      expect(seen).toContain(name);
    for (const name of ['By name', 'Open File', 'How the costs are counted']) expect(seen).toContain(name);
    await expect.poll(() => heard.some((m) => m.type === 'write' && m.fields.rank === '4')).toBe(true);
  });
});

describe('the calculator for an experiment', () => {
  it('shows its values, its other settings and what a write would change', async () => {
    const { opened, heard, session } = await open({ file: FILE, text: TEXT });
    const { page } = opened;
    expect(await page.locator('h1').innerText()).toBe('Budget of tiny.aurora.json');
    expect(await page.locator('table.modules tbody tr').allInnerTexts()).toEqual([
      'layer.0.query\t32\t32\t3\t225',
      'layer.1.query\t32\t32\t5\t385',
    ]);
    expect(await page.locator('.note').innerText()).toContain('"valeu" matched no module');
    expect(await page.locator('.controls code').first().innerText()).toContain('rankPattern');
    const write = page.locator('vscode-button', { hasText: 'Write to Experiment' });
    expect(await write.getAttribute('disabled')).not.toBeNull();
    await input(opened, 'names').fill('query, value');
    await page.locator('.write li').waitFor();
    expect(await page.locator('.write li').allInnerTexts()).toEqual([
      'adapter.targetModules: ["query", "valeu"] → ["query", "value"]',
    ]);
    await write.click();
    await expect.poll(() => heard.some((m) => m.type === 'write')).toBe(true);
    await opened.send({ type: 'written', ok: true, message: 'Written to tiny.aurora.json.' });
    await session.follow(TEXT.replace('valeu', 'value'));
    await page.locator('.write', { hasText: 'tiny.aurora.json already has these settings.' }).waitFor();
    await expect.poll(() => page.locator('.write .note').innerText()).toContain('Written to');
  });

  it('follows changes of the file', async () => {
    const { opened, session } = await open({ file: FILE, text: TEXT });
    await session.follow(TEXT.replace('"rank": 3', '"rank": 1'));
    await expect.poll(() => input(opened, 'rank').inputValue()).toBe('1');
  });

  it('shows that a model is being read', async () => {
    const { opened } = await open({ file: FILE, text: TEXT });
    await opened.send({ type: 'reading', label: 'bert.onnx' });
    await opened.page.locator('.reading', { hasText: 'Reading the model bert.onnx…' }).waitFor();
  });

  it('reports a missing model and works with a different one', async () => {
    const { opened } = await open({ file: FILE, text: TEXT.replace('bert.onnx', 'gone.onnx') });
    expect(await opened.page.locator('.problem.large').innerText()).toContain('gone.onnx');
    await opened.page.locator('#model').click();
    await opened.page.locator('vscode-option', { hasText: 'models/bert.onnx' }).click();
    await untilTotal(opened, '610');
  });

  it('restores typed values after a reload, unless the file has changed', async () => {
    const first = await open({ file: FILE, text: TEXT });
    await input(first.opened, 'rank').fill('4');
    await first.opened.page.locator('.write code', { hasText: 'adapter.rank: 3 → 4' }).waitFor();
    const asked = first.heard.filter((m) => m.type === 'compute');
    const ui = { fields: asked.at(-1)!.fields, from: JSON.stringify(asked[0].fields) };
    stop();
    await first.opened.close();
    const again = await open({ file: FILE, text: TEXT, state: { open: { file: FILE }, ui } });
    expect(await input(again.opened, 'rank').inputValue()).toBe('4');
    stop();
    await again.opened.close();
    const changed = TEXT.replace('"rank": 3', '"rank": 2');
    const third = await open({ file: FILE, text: changed, state: { open: { file: FILE }, ui } });
    expect(await input(third.opened, 'rank').inputValue()).toBe('2');
  });
});

describe('the look of the calculator', () => {
  it('has no problems in any theme and width', async () => {
    const { opened } = await open({ ...LOOKS[0], file: FILE, text: TEXT });
    await opened.page.locator('summary', { hasText: 'How the costs are counted' }).click();
    await expectSoundInAllLooks({ opened, errors: [] }, 'budget', 50);
  });

  it("shows the paper's results without such a problem", async () => {
    const { opened } = await open(LOOKS[0]);
    const { page } = opened;
    await page.locator('#recipe').click();
    await page.locator('#recipe vscode-option', { hasText: 'CoLA' }).click();
    await page.locator('tr.chosen').first().waitFor();
    await expectSoundInAllLooks({ opened, errors: [] }, 'budget-paper', 50);
  });
});
