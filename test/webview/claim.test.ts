import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { claimPaths } from '../../src/runs/claim-folder';
import { SENTENCE } from '../unit/extension/claim-folder';
import { wire, type Wired } from './claim-fixture';
import { faintTexts, shownTexts } from './contrast';
import { closePages, LOOKS } from './harness';

let w: Wired | undefined;
afterEach(async () => {
  await w?.close();
  w = undefined;
});
afterAll(closePages);

const healthy = async () => {
  expect(await w!.opened.complaints()).toEqual([]);
  expect(w!.errors).toEqual([]);
};
const text = (selector: string) => w!.page.locator(selector).first().innerText();
const cells = (selector: string) =>
  w!.page
    .locator(`${selector} tbody tr`)
    .evaluateAll((rows) =>
      rows.map((row) => [...row.children].map((c) => (c as HTMLElement).innerText.trim())),
    );
const actions = () =>
  w!.page
    .locator('.tools [data-action]')
    .evaluateAll((all) => all.map((one) => one.getAttribute('data-action')));

describe('the Claim page', () => {
  it('shows the search while it runs: its trials, the time left, and all methods side by side', async () => {
    w = await wire({ until: 'search' });
    expect([await text('h1'), await text('.state')]).toEqual([SENTENCE, 'running']);
    expect(await text('header')).toContain(
      'The claim takes 21 to 36 runs, 31 min 30 s to 54 min one after another.',
    );
    expect(await text('.counts')).toBe('4 of 6 trials done · 1 running · 1 queued');
    expect(await text('.left')).toMatch(/^Time left: .+, estimated from 4 trials$/);
    expect(await cells('section[aria-labelledby=search-heading]')).toEqual([
      ['learningRate 1e-3', '70.0%', '72.0%', '…'],
      ['learningRate 1e-2', '75.0%', '77.0%', '…'],
    ]);
    expect(await text('section[aria-labelledby=looks-heading] .note')).toBe('No look has been taken yet.');
    expect(await actions()).toEqual(['stop', 'experiment']);
    await healthy();
  });

  it('shows the test while it runs, with the look that did not decide and the best settings', async () => {
    w = await wire({ until: 'test' });
    expect(await text('.counts')).toMatch(/^15 of 30 trials done · 1 running/);
    expect(await cells('section[aria-labelledby=search-heading]')).toEqual([
      ['learningRate 1e-3', '70.0%', '72.0%', '74.0%'],
      ['learningRate 1e-2', '★ 75.0%', '★ 77.0%', '★ 79.0%'],
    ]);
    const label = await w.page.locator('[data-figure=looks] svg').getAttribute('aria-label');
    expect(label).toBe(
      'Differences with their bounds. LoRA r=2, 5 seeds: +3.00, from +1.21 to +4.79. LoRA r=8, 5 seeds: +1.50, from −0.29 to +3.29.',
    );
    expect((await cells('.tests')).length).toBe(30);
    await healthy();
  });

  it.each([
    ['supported', 'The claim holds.'],
    [
      'small',
      'The claim holds, but the difference is below 2 points of accuracy. This is for these examples only: other examples may give another result.',
    ],
    ['refuted', 'The claim does not hold: it is not better by 2 points of accuracy.'],
    ['open', 'Undecided: training diverged with one of the seeds.'],
  ] as const)('says the verdict of a closed claim in words: %s', async (verdict, words) => {
    w = await wire({ verdict, isBare: true });
    expect([await text('.verdict'), await text('.state')]).toEqual([words, 'closed']);
    expect(await w.page.locator('.phase').count()).toBe(0);
    const leftOut = await text('section[aria-labelledby=left-out-heading] .words');
    expect(leftOut).toMatch(
      verdict === 'open' ? /seed 5, test\): training diverged/ : /^Nothing was left out/,
    );
    expect((await cells('section[aria-labelledby=frozen-heading]')).map(([path]) => path)).toEqual([
      'model.onnx',
      'test.jsonl',
    ]);
    await healthy();
  });

  it('opens runs, the certificate and the sweeps by keys, and shows the result of a check', async () => {
    w = await wire();
    const { page, opened } = w;
    expect(await actions()).toEqual(['certificate', 'check', 'experiment', 'search', 'test']);
    for (const action of ['certificate', 'check', 'search'])
      await page.locator(`[data-action=${action}]`).press('Enter');
    await page.locator('.tests button').first().press('Enter');
    await expect
      .poll(() => w!.said.map((m) => (m.type === 'action' ? m.action : m.type)))
      .toEqual(['certificate', 'check', 'search', 'open']);
    expect(await cells('.tests')).toHaveLength(15);
    expect((await cells('.tests'))[0].slice(1)).toEqual(['AuroRA r=2', '1', 'finished', '80.1%']);
    await opened.send({ type: 'checked', checked: { state: 'checking' } });
    await page.getByText('Computing the verdict again').waitFor();
    expect(await page.locator('[data-action=check]').getAttribute('disabled')).not.toBeNull();
    await opened.send({ type: 'checked', checked: { state: 'good', runs: 21 } });
    await page.getByText('The certificate follows from its 21 runs.').waitFor();
    const faults = [{ run: 'r7', message: 'its adapter is not that of the certificate.' }];
    await opened.send({ type: 'checked', checked: { state: 'faults', faults } });
    await page.getByText('r7: its adapter is not that of the certificate.').waitFor();
    await page.locator('[data-figure=looks] summary').press('Enter');
    await page.locator('[data-figure=looks] vscode-button').press('Enter');
    await expect.poll(() => w!.said.at(-1)).toMatchObject({ type: 'copy' });
    await healthy();
  });

  it('shows why a claim is damaged or has failed, and that it was deleted', async () => {
    w = await wire({ isBare: true }, {}, (claim) =>
      writeFileSync(claimPaths(claim).certificate, '{"version":1}'),
    );
    expect([await text('.state'), await text('.error')]).toEqual([
      'damaged',
      expect.stringContaining('is not a certificate of this version'),
    ]);
    expect(await actions()).toEqual(['experiment']);
    await w.close();
    const error = { message: 'Every trial of LoRA r=8 diverged.', hint: 'Search lower learning rates.' };
    w = await wire({ isBare: true, until: 'search', status: { state: 'failed' }, progress: { error } });
    expect(await text('.error')).toBe('Every trial of LoRA r=8 diverged. Search lower learning rates.');
    expect(await actions()).toEqual(['continue', 'experiment']);
    rmSync(w.claim, { recursive: true });
    w.session.look();
    await w.page.getByText('The folder of this claim was deleted.').waitFor();
    expect(await actions()).toEqual([]);
    await healthy();
  });

  it.each(LOOKS)('is legible and accessible in $theme at $width pixels', async ({ theme, width }) => {
    w = await wire({ verdict: 'supported' }, { theme, width });
    const { page } = w;
    await page.locator('.tests button').first().focus();
    await w.opened.screenshot(`claim-${theme}-${width}`);
    expect(await shownTexts(page.mainFrame())).toBeGreaterThan(60);
    expect(await faintTexts(page.mainFrame())).toEqual([]);
    expect(await w.opened.accessibility()).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await healthy();
  });
});
