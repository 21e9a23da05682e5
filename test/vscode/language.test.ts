import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { binWithTokens } from './driver/activations';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { Wizard } from './driver/wizard';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

const FIXTURES = resolve('test/fixtures/playground/language');

/** From a language model, prompts and completions to a run, its errors and the Playground. */
describe('a language experiment, in VS Code 1.100', () => {
  const lab = tinyWorkspace();
  const name = `${basename(lab.folder)}-aurora`;
  const runs = join(lab.folder, '.aurora/runs', name);
  let server: WorkbenchServer;
  let window: Window;
  let wizard: Wizard;

  beforeAll(async () => {
    rmSync(lab.experiment);
    for (const file of ['model.onnx', 'tokenizer.json', 'tokenizer_config.json', 'config.json'])
      lab.write(file, readFileSync(join(FIXTURES, file)));
    const rows = (from: number, count: number) =>
      Array.from({ length: count }, (_, k) => from + k)
        .map((i) => JSON.stringify({ prompt: `Is ${i} even?`, completion: i % 2 ? ' no' : ' yes' }))
        .join('\n');
    lab.write('train.jsonl', `${rows(0, 64)}\n`);
    lab.write('validation.jsonl', `${rows(64, 16)}\n`);
    const questions = (from: number, count: number) =>
      Array.from({ length: count }, (_, k) => `Is ${from + k} even?,yes,no,${(from + k) % 2 ? 'B' : 'A'}\n`);
    lab.write('questions.csv', `question,A,B,answer\n${questions(0, 60).join('')}`);
    lab.write('questions-test.csv', `question,A,B,answer\n${questions(60, 20).join('')}`);
    server = await startWorkbench({ version: '1.100', name: 'language', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
    wizard = new Wizard(window);
    await window.sideBar();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  test('New Experiment asks for prompts and completions', async () => {
    await window.palette('AuroRA: New Experiment');
    await wizard.choose('Select the model to adapt', 'model.onnx');
    await wizard.choose('Select the kind of task', 'The next token of texts');
    await wizard.choose('Select the file with the training texts', 'train.jsonl');
    await wizard.choose('the texts, the prompts, or the conversations', 'prompt');
    await wizard.choose('Select the column with the completions', 'completion');
    await wizard.choose('Select validation data', 'validation.jsonl');
    await wizard.acceptDefaults();
    await window.tab(`${name}.aurora.json`).waitFor();
    const text = readFileSync(lab.path(`${name}.aurora.json`), 'utf8');
    expect(text).toContain('"type": "causal-language-modeling"');
    expect(text).toContain('"textColumn": "prompt"');
    expect(text).toContain('"completionColumn": "completion"');
    expect(text).not.toContain('labelColumn');
  });

  test('it trains, and its errors are the tokens that it does not expect', async () => {
    await window.palette('AuroRA: Run Experiment');
    await expect.poll(() => existsSync(runs) && readdirSync(runs).length).toBe(1);
    const [id] = readdirSync(runs);
    await expect.poll(() => existsSync(join(runs, id, 'result.json')), { timeout: 600_000 }).toBe(true);
    await window.palette('AuroRA: Show Errors');
    const page = await window.frameWith('aurora-errors .list tbody tr');
    // The page shows the first results while the rest are computed.
    await expect
      .poll(() => page.locator('.summary').innerText())
      .toMatch(/The model predicts \d+ tokens of 16 texts\. Loss [\d.]+, perplexity [\d.]+/);
    const first = page.locator('.list tbody tr').first();
    expect(await first.innerText()).toMatch(/Is \d+ even\?/);
    await first.locator('button').press('Enter');
    await window.tab('validation.jsonl').waitFor();
  });

  test('a bin of an activation shows its tokens in their texts, and opens the row of one', async () => {
    await window.palette('AuroRA: Show Layer Activations');
    const page = await window.frameWith('aurora-activations aurora-layer-card');
    const { link } = await binWithTokens(window, page);
    const [, line] = /validation\.jsonl, line (\d+)/.exec(await link.innerText())!;
    await link.press('Enter');
    await window.statusBar(`Ln ${line}, Col 1`).waitFor();
  });

  test('the Playground writes on from a prompt of the validation data', async () => {
    await window.palette('AuroRA: Open Playground');
    await window.pick('AuroRA r2');
    const page = await window.frameWith('aurora-playground [data-action=sample]');
    await page.locator('[data-action=sample]').click();
    await page.locator('.truth-line').waitFor();
    expect(await page.locator('textarea').inputValue()).toMatch(/^Is \d+ even\?$/);
    await page.locator('[data-action=ask]').click();
    await page.locator('.numbers', { hasText: 'tokens/s' }).last().waitFor();
    expect(await page.locator('.written').first().innerText()).toMatch(/^Is \d+ even\?/);
  });

  test('New Experiment asks for questions, choices and a test set', async () => {
    await window.palette('AuroRA: New Experiment');
    await wizard.choose('Select the model to adapt', 'model.onnx');
    await wizard.find('Select the kind of task', 'Multiple choice');
    await wizard.choose('Select the file with the training questions', 'questions.csv');
    await wizard.accept('Select the column with the questions');
    await wizard.asks('Select the column with the choices');
    expect(await wizard.title()).toContain('2 columns, each with a choice');
    await wizard.ok();
    await wizard.accept('Select the column with the right answers');
    await wizard.choose('Select validation data', 'Hold out 20%');
    await wizard.choose('Select the test set', 'questions-test.csv');
    await wizard.acceptDefaults();
    await window.tab('questions-aurora.aurora.json').waitFor();
    const text = readFileSync(lab.path('questions-aurora.aurora.json'), 'utf8');
    expect(text).toContain('"type": "multiple-choice"');
    expect(text).toContain('"choiceColumns": ["A", "B"]');
    expect(text).toContain('"test": "questions-test.csv"');
    await window.palette('AuroRA: Run Preflight');
    await window.said(/Preflight of questions-aurora/);
  });

  test("New Experiment lists Commonsense170K's file and knows its columns", async () => {
    const row = (answer: string) => ({
      instruction: `Is it?\n\nAnswer format: true/false`,
      input: '',
      output: `the correct answer is ${answer}`,
      answer,
    });
    lab.write('commonsense_170k.json', JSON.stringify([row('true'), row('false')], null, 2));
    await window.palette('AuroRA: New Experiment');
    await wizard.choose('Select the model to adapt', 'model.onnx');
    await wizard.find('Select the kind of task', 'Multiple choice');
    await wizard.choose('Select the file with the training questions', 'commonsense_170k.json');
    await wizard.accept('Select the column with the questions');
    await wizard.asks('Select the column with the choices');
    expect(await wizard.title()).toContain('answers as sentences, as in Commonsense170K');
    await wizard.ok();
    await wizard.asks('Select the column with the right answers');
    await window.page.keyboard.press('Escape');
  });

  test('its answers, their errors and its export are those of questions', async () => {
    const choices = join(lab.folder, '.aurora/runs/questions-aurora');
    await window.palette('AuroRA: Run Experiment');
    await expect.poll(() => existsSync(choices) && readdirSync(choices).length).toBe(1);
    const [id] = readdirSync(choices);
    await expect.poll(() => existsSync(join(choices, id, 'result.json')), { timeout: 600_000 }).toBe(true);
    const own = `· ${id.slice(-8, -4)}`;
    await window.palette('View: Close All Editors');
    await window.palette('AuroRA: Show Errors');
    await window.pick(own);
    const errors = await window.frameWith('aurora-errors .choice-mark');
    await expect
      .poll(() => errors.locator('.summary').innerText())
      .toMatch(/gets \d+ of 12 examples right .* Answers are found by likelihood/);
    await window.palette('AuroRA: Open Playground');
    await window.pick(own);
    const page = await window.frameWith('aurora-playground [data-action=sample]');
    await page.locator('[data-action=sample]').click();
    await page.locator('.card .verdict').first().waitFor();
    expect(await page.locator('.truth-line').innerText()).toMatch(/Its right choice: (yes|no)$/);
    expect(await page.getByRole('textbox', { name: 'Choices' }).inputValue()).toBe('yes\nno');
    await window.palette('AuroRA: Export Run');
    await window.pick(own);
    await window.pick('adapter');
    await window.pick('In the run folder');
    await window.toast('Adapter exported: accuracy').waitFor();
    const [folder] = readdirSync(join(choices, id, 'export'));
    const card = readFileSync(join(choices, id, 'export', folder, 'README.md'), 'utf8');
    expect(card).toContain('the answer is found by likelihood');
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
