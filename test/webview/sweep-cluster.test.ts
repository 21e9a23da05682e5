import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { faintTexts } from './contrast';
import { closePages, LOOKS } from './harness';
import { clusterSweep, wire, type Wired } from './sweep-fixture';

let w: Wired | undefined;
afterEach(async () => {
  await w?.close();
  w = undefined;
});
afterAll(closePages);

const open = async (look: Parameters<typeof wire>[0] = {}): Promise<Wired> => {
  const { made, cluster } = clusterSweep();
  return (w = await wire(look, made, cluster));
};

describe('the Sweep page of a sweep on a cluster', () => {
  it('says where it runs, that the cluster is not responding, and what its scheduler says about each trial', async () => {
    const { page, opened, errors } = await open();
    expect(await page.locator('header .note').first().innerText()).toMatch(
      /^Slurm on login\.example\.org · Grid/,
    );
    expect(await page.locator('.notice').innerText()).toMatch(
      /^Slurm on login\.example\.org has not responded since .*: login\.example\.org: No route to host\.$/,
    );
    expect(await page.locator('.counts').innerText()).toBe(
      '1 of 7 trials done · 1 running · 1 preempted · 2 queued · 1 stopped · 1 lost',
    );
    const states = page.locator('.trial-row td:nth-child(3)');
    expect(await states.allInnerTexts()).toEqual([
      'finished',
      'running · on node7',
      'preempted · requeued a moment ago (Slurm starts it again after a short wait)',
      'queued · other jobs are ahead of it · lost before: its node failed',
      'queued · the limit of trials at a time is reached',
      'lost · it needed more memory than it asked for',
      'stopped',
    ]);
    expect([await opened.complaints(), errors]).toEqual([[], []]);
  });

  it('gives the menu of a trial without a run what it can do', async () => {
    const { page, sweep } = await open();
    const menu = async (trial: number): Promise<unknown> =>
      JSON.parse((await page.locator(`[data-trial="${trial}"]`).getAttribute('data-vscode-context'))!);
    const kind = { kind: 'trial', folder: sweep, webviewSection: 'auroraRun' };
    expect(await menu(5)).toMatchObject({ ...kind, trial: 't5', auroraCan: 'trial canStop' });
    expect(await menu(6)).toMatchObject({ ...kind, trial: 't6', auroraCan: 'trial canResume' });
    expect(await menu(2)).toMatchObject({
      kind: 'run',
      auroraCan: expect.stringMatching(/\bcanStop\b.*\bcanShowClusterLog\b/) as string,
    });
  });

  it.each(LOOKS)('is legible and accessible in $theme at $width pixels', async ({ theme, width }) => {
    const { page, opened, errors } = await open({ theme, width });
    await opened.screenshot(`sweep-cluster-${theme}-${width}`);
    expect(await faintTexts(page.mainFrame())).toEqual([]);
    expect(await opened.accessibility()).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect([await opened.complaints(), errors]).toEqual([[], []]);
  });
});
