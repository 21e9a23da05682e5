import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { tinyClaim } from '../cli/tiny-claim';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { programs } from './driver/processes';
import { Window } from './driver/window';
import { vsixHere } from './vsix';

/** A claim from its CodeLens: asked, stopped, continued across a reload, and closed. */
describe('a claim, in VS Code 1.100', () => {
  // Nothing is asked of this host.
  const lab = tinyClaim(5, { cluster: { slurm: { host: 'login.example.org' } } });
  const claims = join(lab.folder, '.aurora/claims/tiny');
  let server: WorkbenchServer;
  let window: Window;

  beforeAll(async () => {
    server = await startWorkbench({ version: '1.100', name: 'claim', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.row('tiny').waitFor();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    for (const command of ['claim', 'train'])
      for (const pid of server ? programs(server.profile, command) : []) process.kill(pid, 'SIGKILL');
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  const lens = (text: string) => window.page.locator('.codelens-decoration a', { hasText: text });

  test('Test Claim asks where, then once with the sentence, and opens the page', async () => {
    await window.openFile('tiny.aurora.json');
    await lens('Test Claim').click();
    await window.page.getByPlaceholder('Select where to run it').waitFor();
    expect(await window.page.locator('.quick-input-list .monaco-list-row').allInnerTexts()).toEqual([
      expect.stringContaining('This machine'),
      expect.stringMatching(/Slurm[\s\S]*login\.example\.org/),
    ]);
    await window.pick('This machine');
    await window.modal('Test this claim?', 'Test Claim');
    const page = await window.frameWith('aurora-claim h1');
    expect(await page.locator('h1').innerText()).toMatch(
      /^AuroRA r=2 is better than LoRA r=2 in accuracy on /,
    );
    await window.row('Claim: AuroRA r=2').waitFor();
    await window.screenshot('claim-running');
  });

  test('Stop Claim saves and leaves no process', async () => {
    await window.contextMenu(window.row('Claim: AuroRA r=2'), 'Stop Claim');
    await window.said(/The claim of tiny was stopped, and everything is saved/);
    const left = () => ['claim', 'train'].flatMap((command) => programs(server.profile, command));
    await expect.poll(left).toEqual([]);
  });

  test('Continue Claim closes it, also across a reload, and its verdict is above the section', async () => {
    await window.contextMenu(window.row('Claim: AuroRA r=2'), 'Continue Claim');
    await window.reload();
    await window.sideBar();
    const page = await window.frameWith('aurora-claim h1');
    await expect.poll(() => page.locator('.state').first().innerText(), { timeout: 300_000 }).toBe('closed');
    const verdict = await page.locator('.verdict').innerText();
    expect(verdict).toMatch(/^The claim (holds|does not hold)/);
    expect(await page.locator('.tests tbody tr').count()).toBe(10);
    await window.screenshot('claim-closed');
    const [name] = readdirSync(claims);
    expect(existsSync(join(claims, name, 'certificate.md'))).toBe(true);
    await window.openFile('tiny.aurora.json');
    await lens(verdict.split('.')[0]).waitFor();
  });

  test('Check Certificate computes the verdict again', async () => {
    await lens('The claim').click();
    const page = await window.frameWith('aurora-claim h1');
    await page.locator('[data-action=check]').click();
    await page.getByText('The certificate follows from its 12 runs.').waitFor({ timeout: 120_000 });
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
