import { startWorkbench } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { Window } from './driver/window';
import { tinyWorkspace } from './workspace';
const lab = tinyWorkspace({ training: { epochs: 3 } });
import { test } from 'vitest';
test('g', async () => {
  const server = await startWorkbench({
    version: '1.139',
    name: 'helper-g',
    extension: process.cwd(),
  } as never);
  try {
    const w = await Window.open(server, lab.folder);
    const p = w.page;
    await p.waitForTimeout(3000);
    await w.openFile('tiny.aurora.json');
    await p.locator('.codelens-decoration').first().waitFor();
    await p.waitForTimeout(5000);
    await w.screenshot('g-1-lens');
    console.log(await p.locator('.codelens-decoration').allInnerTexts());
    // preflight
    await p.locator('.codelens-decoration a', { hasText: 'Preflight' }).click();
    await p.waitForTimeout(1500);
    await w.screenshot('g-2-preflight-progress');
    await w.toast('/step').waitFor({ timeout: 60000 });
    await w.screenshot('g-3-preflight-toast');
    await w.pressToast('/step', 'Show Report');
    await p.waitForTimeout(4000);
    await w.screenshot('g-4-report');
    // wizard
    await w.palette('AuroRA: New Experiment');
    for (let i = 0; i < 11; i++) {
      await p.waitForTimeout(1200);
      if (!(await p.locator('.quick-input-widget').isVisible())) break;
      await w.screenshot(`g-5-wizard-${i}`);
      console.log(i, (await p.locator('.quick-input-title').innerText()).slice(0, 150));
      await p.keyboard.press('Enter');
    }
    await p.waitForTimeout(3000);
    await w.screenshot('g-6-made');
    console.log(hostErrors(server.profile));
  } finally {
    await server.stop();
    await closeBrowser();
    lab.remove();
  }
}, 200000);
