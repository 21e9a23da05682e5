import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { ExperimentText } from '../../src/runs/experiment/experiment-text';
import { filesBelow } from '../../src/files/tree';
import { HubServer } from '../hub/server';
import { smallBert, smallGlue } from '../hub/small-repositories';
import { scratchFolder } from '../scratch';
import { closeBrowser } from './driver/browser';
import { Dashboard } from './driver/dashboard';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { Wizard } from './driver/wizard';
import { comparable, journalAt } from './journal';
import { vsixHere } from './vsix';

/** The longest time from a name to a curve, by clicks. */
const CLICKS_MS = 60_000;

/** From two names on the hub to a curve, from an empty profile and in an empty folder. */
describe('models and data from the hub, in VS Code 1.100', () => {
  const hub = new HubServer();
  const bert = smallBert();
  const gated = { ...smallBert('an-org/gated'), gated: 'manual' as const };
  const slow = smallBert('an-org/slow');
  const folder = scratchFolder('from-hub');
  const workspace = join(folder, 'work');
  const file = join(workspace, 'rte-aurora.aurora.json');
  const runs = join(workspace, '.aurora/runs/rte-aurora');
  let server: WorkbenchServer;
  let window: Window;
  let wizard: Wizard;
  let commit: string;
  const cache = () => join(server.profile, 'home/.cache/huggingface/hub');

  beforeAll(async () => {
    mkdirSync(workspace);
    const glue = await smallGlue(folder);
    commit = glue.commit;
    hub.repositories.push(bert, gated, slow, glue);
    await hub.start();
    const env = { HF_ENDPOINT: hub.endpoint };
    server = await startWorkbench({ version: '1.100', name: 'hub', vsix: vsixHere(), env });
    window = await Window.open(server, workspace);
    wizard = new Wizard(window);
    await window.sideBar();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    hub.stop();
  });

  const box = () => window.page.locator('.quick-input-widget input:not([type="checkbox"])').first();
  const rows = async () => (await wizard.rows()).join('\n');
  const runFolders = () => (existsSync(runs) ? readdirSync(runs).map((id) => join(runs, id)) : []);

  test("Get Model lists the paper's models without a request, and searches for what is typed last", async () => {
    await window.palette('AuroRA: Get Model');
    await wizard.asks(/Select a model, or type to search 127\.0\.0\.1/);
    expect(await rows()).toMatch(/FacebookAI\/roberta-base[^]*124,055,040 parameters/);
    expect(hub.seen).toEqual([]);
    await box().pressSequentially('bert', { delay: 20 });
    await expect.poll(rows).toMatch(/an-org\/bert[^]*fill-mask · [\d.]+ KB · apache-2\.0 · 1,234 downloads/);
    const searches = hub.seen.filter(({ route }) => route === 'search').map(({ target }) => target);
    expect(searches).toEqual([expect.stringContaining('search=bert&')]);
    await window.page.keyboard.press('Escape');
    hub.seen.splice(0);
  });

  test('from Get Model and Get Data Set to the first point of a curve takes less than a minute of clicks', async () => {
    const began = Date.now();
    await window.palette('AuroRA: Get Model');
    await wizard.asks('Select a model');
    await box().fill('an-org/b');
    await wizard.find('Select a model', 'an-org/bert');
    await wizard.asks(`an-org/bert · fill-mask · apache-2.0 · at commit ${bert.commit.slice(0, 7)}`);
    const details = await rows();
    expect(details).toMatch(
      /Download [\d.]+ KB\s*to .*hub, which Python shares[^]*Contacts 127\.0\.0\.1:\d+ and the storage/,
    );
    expect(details).toMatch(/bert · [\d,]+ parameters · \d+ modules can be adapted/);
    expect(details).toMatch(/A training step takes [^]*Fits the/);
    expect(details).toContain('A small one, for tests.');
    expect(details).toContain('model.safetensors');
    expect(details).not.toContain('.bin');
    await window.page.keyboard.press('Enter');
    await window.pressToast('an-org/bert is on this machine.', 'Get Data Set');
    await wizard.asks('Select a data set');
    expect(await rows()).toMatch(/glue\/sst-2[^]*nyu-mll\/glue · sst2/);
    await wizard.find('Select a data set', 'glue/rte');
    await wizard.asks('Select the splits of');
    await wizard.ok();
    await wizard.asks(/^nyu-mll\/glue · other/);
    expect(await rows()).toContain('A few rows, for tests.');
    await window.page.keyboard.press('Enter');
    await window.pressToast('an-org/bert and nyu-mll/glue are on this machine.', 'New Experiment');
    await wizard.accept('Select the kind of task');
    await wizard.accept('labeled training texts');
    await wizard.accept('Select the text column');
    await wizard.accept('Select the second text column');
    await wizard.accept('Select the label column');
    await wizard.accept('Select validation data');
    await wizard.find('Select settings', 'RTE with RoBERTa-Base');
    await wizard.choose('Select a method', 'AuroRA');
    await wizard.asks('Select the layers');
    await wizard.ok();
    await wizard.accept('Select a rank');
    await wizard.acceptSize('text');
    await wizard.accept('file name of the experiment');
    await window.tab('rte-aurora.aurora.json').waitFor();
    await window.palette('AuroRA: Run Experiment');
    const dashboard = await Dashboard.in(window);
    const took = Date.now() - began;
    console.log(`From the first click to the first point: ${(took / 1000).toFixed(1)} s.`);
    expect(took).toBeLessThan(CLICKS_MS);
    const shown = await dashboard.newest();
    const [run] = runFolders();
    expect(comparable(shown)).toEqual(journalAt(run, shown));
    await window.palette('AuroRA: Stop Run');
  });

  test("the experiment names model and data at their commits, with the paper's settings and the labels' names", () => {
    const text = readFileSync(file, 'utf8');
    const glue = `hf://datasets/nyu-mll/glue@${commit}/rte`;
    expect(new ExperimentText(file, text).value()).toMatchObject({
      model: { path: `hf://an-org/bert@${bert.commit}` },
      task: { type: 'text-classification', pooling: 'first-token' },
      data: {
        train: `${glue}/train/0000.parquet`,
        validation: `${glue}/validation/0000.parquet`,
        textColumn: 'sentence1',
        textPairColumn: 'sentence2',
        labelColumn: 'label',
      },
      adapter: { method: 'aurora', rank: 2, targetModules: ['query', 'value'] },
    });
    expect(text).toMatch(/paper \(arXiv 2505\.18738\) for RTE with RoBERTa-Base/);
  });

  test('New Experiment lists what is in the cache', async () => {
    await window.palette('AuroRA: New Experiment');
    await wizard.asks('Select the model to adapt');
    expect(await rows()).toMatch(/^bert\s*an-org\/bert@\w{7}, from the hub[^]*Get Model from the Hub…/);
    await window.page.keyboard.press('Escape');
  });

  test('a model removed from the cache is a problem, whose quick fix downloads it again', async () => {
    rmSync(join(cache(), 'models--an-org--bert'), { recursive: true });
    await window.palette('View: Close All Editors');
    await window.openFile('rte-aurora.aurora.json');
    const problem = window.page.locator('.squiggly-error').first();
    await problem.waitFor();
    hub.seen.splice(0);
    await window.palette('AuroRA: Run Experiment');
    await window.modal('an-org/bert has not been downloaded to this machine.', 'Cancel');
    expect(hub.seen).toEqual([]);
    await window.page.locator('.view-line', { hasText: '"path"' }).first().click();
    await window.page.keyboard.press('Control+.');
    await window.page.locator('.action-widget .monaco-list-row.focused', { hasText: 'Download' }).waitFor();
    await window.page.keyboard.press('Enter');
    await window.modal('from 127.0.0.1', 'Download');
    await problem.waitFor({ state: 'hidden' });
    const [snapshot] = readdirSync(join(cache(), 'models--an-org--bert/snapshots'));
    expect(snapshot).toBe(bert.commit);
  });

  test('a download that is canceled leaves no file that looks complete, and is resumed the next time', async () => {
    await window.palette('Notifications: Clear All Notifications');
    const get = async (fault: HubServer['fault']) => {
      await window.palette('AuroRA: Get Model');
      await wizard.find('Select a model', 'an-org/slow');
      await wizard.asks(/^an-org\/slow ·/);
      hub.fault = fault;
      await window.page.keyboard.press('Enter');
    };
    // The connection stays open, and nothing more comes. The first request is that for the header.
    let asked = 0;
    await get(({ route }) =>
      route === 'store' && ++asked > 1 ? { kind: 'stall', after: 30_000 } : undefined,
    );
    const toast = window.toast('Downloading an-org/slow');
    await expect.poll(() => toast.innerText()).toMatch(/ of [\d.]+ KB/);
    await toast.getByRole('button', { name: 'Cancel' }).click();
    await toast.waitFor({ state: 'hidden' });
    const snapshot = join(cache(), 'models--an-org--slow/snapshots', slow.commit);
    expect(existsSync(join(snapshot, 'model.safetensors'))).toBe(false);
    hub.fault = () => undefined;
    await get(() => undefined);
    await window.toast(/an-org\/slow and .* are on this machine/).waitFor();
    const weights = slow.files.find(({ path }) => path === 'model.safetensors')!;
    expect(readFileSync(join(snapshot, 'model.safetensors'))).toEqual(weights.bytes);
  });

  test('a gated model offers to sign in, and the token appears nowhere but in requests to the hub', async () => {
    hub.seen.splice(0);
    await window.palette('Notifications: Clear All Notifications');
    await window.palette('AuroRA: Get Model');
    await wizard.asks('Select a model');
    await wizard.find('Select a model', 'an-org/gated');
    await window.pressToast(/an-org\/gated is gated/, 'Sign In');
    await window.page.getByPlaceholder('hf_…').fill(hub.token);
    await window.page.keyboard.press('Enter');
    await wizard.accept(/^an-org\/gated · fill-mask · apache-2\.0 · gated/);
    await window.toast(/an-org\/gated and .* are on this machine/).waitFor();
    const sent = hub.seen.filter(({ headers, target }) => `${headers} ${target}`.includes(hub.token));
    expect(new Set(sent.map(({ host }) => host))).toEqual(new Set(['hub']));
    for (const folder of [server.profile, workspace])
      for (const path of filesBelow(folder))
        expect(readFileSync(join(folder, path)).includes(hub.token), path).toBe(false);
    await window.palette('AuroRA: Sign Out of Hugging Face');
    await window.toast('The token was removed from VS Code.').waitFor();
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});

/** A workspace that nobody trusts must not choose where requests go, nor start any. */
describe('the hub in Restricted Mode, in VS Code 1.100', () => {
  const hub = new HubServer();
  const bert = smallBert();
  const folder = scratchFolder('untrusted-hub');
  let server: WorkbenchServer;
  let window: Window;

  beforeAll(async () => {
    hub.repositories.push(bert);
    await hub.start();
    mkdirSync(join(folder, '.vscode'));
    const settings = { 'http.proxy': 'http://127.0.0.1:9', 'aurora.nodePath': '/nowhere/node' };
    writeFileSync(join(folder, '.vscode/settings.json'), JSON.stringify(settings));
    writeFileSync(join(folder, '.env'), 'HF_ENDPOINT=http://127.0.0.1:9\n');
    const model = { path: `hf://an-org/bert@${bert.commit}` };
    writeFileSync(join(folder, 'own.aurora.json'), JSON.stringify({ model }));
    const env = { HF_ENDPOINT: hub.endpoint };
    server = await startWorkbench({
      version: '1.100',
      name: 'hub-trust',
      vsix: vsixHere(),
      trust: true,
      env,
    });
    window = await Window.open(server, folder);
    await window.sideBar();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    hub.stop();
  });

  test('the files of an experiment are not downloaded', async () => {
    await window.statusBar('Restricted Mode').waitFor();
    await window.openFile('own.aurora.json');
    await window.page.locator('.squiggly-error').first().waitFor();
    const offered = (await window.offered('AuroRA: Download')).join('\n');
    expect(offered).not.toContain('Download Experiment Files');
    await window.page.locator('.view-line').first().click();
    await window.page.keyboard.press('Control+.');
    await window.page.locator('.action-widget .monaco-list-row.focused', { hasText: 'Download' }).waitFor();
    await window.page.keyboard.press('Enter');
    await window.toast('This workspace is in Restricted Mode').waitFor();
    expect(hub.seen).toEqual([]);
  });

  test('a model is got by its name, whatever the workspace says about proxies and programs', async () => {
    const wizard = new Wizard(window);
    await window.palette('AuroRA: Get Model');
    await wizard.find('Select a model', 'an-org/bert');
    await wizard.accept(/^an-org\/bert ·/);
    await window.toast('an-org/bert is on this machine.').waitFor();
    expect(hub.seen.length).toBeGreaterThan(0);
  });
});
