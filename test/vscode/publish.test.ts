import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { filesBelow } from '../../src/files/tree';
import { HubServer } from '../hub/server';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { tinyWorkspace } from './workspace';

/** From a run to a repository, with the questions between. */
describe('publishes adapters, in VS Code 1.100', () => {
  const hub = new HubServer();
  const lab = tinyWorkspace({ training: { epochs: 1, evaluateEvery: 'epoch' } });
  let server: WorkbenchServer;
  let window: Window;
  let name: string;

  beforeAll(async () => {
    expect(lab.run('train', lab.experiment, '--device', 'cpu').code).toBe(0);
    name = '#1 AuroRA r2';
    await hub.start();
    const env = { HF_ENDPOINT: hub.endpoint };
    server = await startWorkbench({ version: '1.100', name: 'publish', extension: process.cwd(), env });
    window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.row(name).waitFor();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    hub.stop();
    lab.remove();
  });

  const repository = () => hub.repositories.find(({ id }) => id === 'alice/tiny-rte');
  const answerQuestions = async () => {
    await window.pick('PEFT LoRA');
    await window.input('A repository on 127.0.0.1', 'tiny-rte');
    await window.pick('Private');
  };

  test('signs in, shows what would be uploaded and where, and uploads nothing without agreement', async () => {
    // Before the questions, whose answers would be lost.
    await window.contextMenu(window.row(name), 'Publish Adapter');
    await window.pressToast('Publishing needs an access token', 'Sign In');
    await window.page.getByPlaceholder('hf_…').fill(hub.token);
    await window.page.keyboard.press('Enter');
    await answerQuestions();
    const dialog = window.page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    const text = await dialog.innerText();
    expect(text).toContain('Create the private repository alice/tiny-rte and upload the adapter?');
    expect(text).toContain('AuroRA’s nonlinearity is replaced by its linear fit');
    expect(text).toMatch(/adapter_model\.safetensors, [\d.]+ KB/);
    expect(text).toMatch(/on 127\.0\.0\.1:\d+ and the storage that it names/);
    await window.screenshot('publish-question');
    await window.modal('Create the private repository', 'Cancel');
    expect(repository()).toBeUndefined();
  });

  test('uploads the adapter, and says where it is', async () => {
    await window.contextMenu(window.row(name), 'Publish Adapter');
    await answerQuestions();
    await window.modal('Create the private repository', 'Upload');
    await window.toast('The adapter was published as alice/tiny-rte').waitFor();
    expect(repository()).toMatchObject({ private: true });
    expect(repository()!.files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['README.md', 'adapter_config.json', 'adapter_model.safetensors']),
    );
  });

  test('the token is nowhere but in requests to the hub', () => {
    const sent = hub.seen.filter((r) => `${r.headers} ${r.target} ${r.body ?? ''}`.includes(hub.token));
    expect(new Set(sent.map(({ host }) => host))).toEqual(new Set(['hub']));
    for (const folder of [server.profile, lab.folder])
      for (const path of filesBelow(folder))
        expect(readFileSync(join(folder, path)).includes(hub.token), path).toBe(false);
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
