import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { closeAll, Files, serveBehindProxy } from '../cli/gpu/servers';
import { hasCompiler, tensorflowArchives } from '../cli/gpu/stand-ins';
import { closeBrowser } from './driver/browser';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

const LIBRARY = '/tensorflow/libtensorflow/libtensorflow-gpu-linux-x86_64-2.9.1.tar.gz';
const BINDING = '/tf-builds/pre-built-binary/napi-v8/4.22.0/GPU-linux-4.22.0.tar.gz';
const TITLE = 'TensorFlow for TensorFlow.js';

/**
 * Downloads from the hosts that the package names, behind the proxy from the editor's settings, in Restricted
 * Mode.
 */
describe.skipIf(!hasCompiler || process.platform !== 'linux' || process.arch !== 'x64')(
  'Install GPU Support, in VS Code 1.139',
  () => {
    const lab = tinyWorkspace();
    const files = new Files();
    let server: WorkbenchServer;
    let window: Window;
    const gpu = () => join(server.profile, 'data/User/globalStorage/aurora-lab.aurora-lab/gpu');
    const left = () => (existsSync(gpu()) ? readdirSync(gpu()) : []);

    beforeAll(async () => {
      const [library, binding] = tensorflowArchives();
      files.add(LIBRARY, library);
      files.add(BINDING, binding);
      const { HTTPS_PROXY, ...env } = await serveBehindProxy(files, 'storage.googleapis.com');
      const settings = { 'http.proxy': HTTPS_PROXY };
      const options = { name: 'gpu', vsix: vsixHere(), trust: true, settings, env };
      server = await startWorkbench({ version: '1.139', ...options });
      window = await Window.open(server, lab.folder);
      await window.sideBar();
    });
    beforeEach(() => pictureOnFailure(window));
    afterAll(async () => {
      await server?.stop();
      await closeBrowser();
      closeAll();
      lab.remove();
    });

    const start = async () => {
      await window.palette('AuroRA: Install GPU Support');
      await window.pick(TITLE);
    };

    test('lists the available parts with their purpose and license', async () => {
      await window.palette('AuroRA: Install GPU Support');
      const rows = window.page.locator('.quick-input-list .monaco-list-row');
      await rows.filter({ hasText: TITLE }).waitFor();
      const shown = (await rows.allInnerTexts()).join('\n');
      for (const words of ['CUDA for ONNX Runtime', 'CUDA 12 and cuDNN 9', TITLE, 'CUDA 11.2', 'Apache-2.0'])
        expect(shown).toContain(words);
      await window.page.keyboard.press('Escape');
      expect(left()).toEqual([]);
    });

    test('leaves nothing when canceled midway', async () => {
      files.answer(LIBRARY, 'hang');
      await start();
      await window.toast(`Installing ${TITLE}`).waitFor();
      await expect.poll(() => files.seen).toContain(LIBRARY);
      await window.pressToast(`Installing ${TITLE}`, 'Cancel');
      await expect.poll(left).toEqual([]);
    });

    test('names a server that lacks the file and offers to try again', async () => {
      files.answer(LIBRARY, 404);
      await start();
      await window.said(/The server does not have https:\/\/storage\.googleapis\.com/);
      expect(left()).toEqual([]);
      files.answer(LIBRARY, 'whole');
      await window.pressToast('The server does not have', 'Try Again');
      await window.said(/is installed and ready to use as the device "tensorflow"/);
      expect(left()).toEqual(['tensorflow']);
    });

    test('removes a part after a question', async () => {
      await window.palette('AuroRA: Remove GPU Support');
      await window.modal(`Remove ${TITLE}?`, 'Remove');
      await window.said(`${TITLE} was removed`);
      expect(left()).toEqual([]);
      await expect
        .poll(async () => (await window.offered('AuroRA: Remove GPU')).join())
        .not.toContain('Remove GPU Support');
    });
  },
);
