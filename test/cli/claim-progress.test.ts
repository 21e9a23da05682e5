import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJson } from '../../src/files/json';
import { readStatus } from '../../src/runs/status';
import { readSweep } from '../../src/runs/sweep/record';
import {
  type AnnouncedCost,
  type ClaimProgress,
  isCertificate,
  isFrozenClaim,
} from '../../src/study/claim/claim-files';
import { tinyClaim } from './tiny-claim';
import type { Lab, Outcome } from './lab';

/** The files by which the editor follows a claim, of one that is stopped, continued and closed. */
describe('the folder of a claim', () => {
  let lab: Lab;
  let folder: string;
  let hash: string;
  const lines = ({ out }: Outcome) =>
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const claim = (...args: string[]) => lab.run('claim', lab.experiment, '--json', '--threads', '1', ...args);

  beforeAll(() => (lab = tinyClaim()));
  afterAll(() => lab.remove());

  it('is not made by a dry run, which names it', () => {
    const [frozen, cost] = lines(claim('--dry-run'));
    ({ folder, hash } = frozen as { folder: string; hash: string });
    expect(frozen).toMatchObject({ kind: 'frozen', hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect((cost as unknown as AnnouncedCost).runs.every(({ seconds }) => seconds > 0)).toBe(true);
    expect(cost).toMatchObject({ kind: 'cost', least: { runs: 8 }, most: { runs: 8 } });
    expect(existsSync(folder)).toBe(false);
  });

  it('is not made with the costs of other methods', () => {
    for (const seconds of ['12', '12,0', '12,x']) {
      const { code, out } = claim('--seconds', seconds);
      expect([code, out]).toEqual([2, expect.stringContaining('--seconds takes 2 numbers')]);
    }
    expect(existsSync(folder)).toBe(false);
  });

  it('is refused if the file makes another claim than the one that is asked for', () => {
    const { code, out } = claim('--hash', '0123456789ab');
    expect([code, existsSync(folder)]).toEqual([2, false]);
    expect(out).toContain('have changed');
  });

  it('has a status that takes a request to stop, and the results so far', async () => {
    const given = ['--hash', hash.slice(0, 12), '--seconds', '12.5,7'];
    const child = lab.start('claim', lab.experiment, '--json', '--threads', '1', ...given);
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const search = lab.path('.aurora/sweeps/tiny/claim-' + hash.slice(0, 12) + '-search');
    await expect.poll(() => readSweep(search)?.trials.some((t) => t.run), { timeout: 120_000 }).toBe(true);
    expect(readStatus(folder)).toMatchObject({ state: 'running', pid: child.pid, step: 0, steps: 1 });
    expect(isFrozenClaim(readJson(join(folder, 'frozen.json')))).toBe(true);
    mkdirSync(join(folder, 'control'), { recursive: true });
    writeFileSync(join(folder, 'control/stop'), '');
    expect(await ended).toBe(130);
    expect(readStatus(folder)?.state).toBe('stopped');
    const progress = readJson(join(folder, 'progress.json')) as ClaimProgress;
    expect(progress).toMatchObject({ labels: ['AuroRA r=2', 'LoRA r=2'], searched: [], looks: [] });
    // Not measured again.
    expect(progress.cost).toEqual({
      runs: [
        { label: 'AuroRA r=2', seconds: 12.5 },
        { label: 'LoRA r=2', seconds: 7 },
      ],
      least: { runs: 8, seconds: 78 },
      most: { runs: 8, seconds: 78 },
    });
  });

  it('has a certificate in the end, and keeps the announced cost', () => {
    const told = lines(claim('--hash', hash.slice(0, 12)));
    expect(told.find((line) => line.kind === 'cost')).toBeUndefined();
    expect(readStatus(folder)?.state).toBe('finished');
    expect(isCertificate(readJson(join(folder, 'certificate.json')))).toBe(true);
    const progress = readJson(join(folder, 'progress.json')) as ClaimProgress;
    expect(progress.cost).toBeDefined();
    expect(progress.searched.map(({ label }) => label)).toEqual(['AuroRA r=2', 'LoRA r=2']);
    expect(readdirSync(lab.path('.aurora/runs/tiny')).length).toBe(8);
  });
});
