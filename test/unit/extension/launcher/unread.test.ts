import { readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readStatus } from '../../../../src/runs/status';
import { Studio, events, stepOf } from './studio';
import { until } from '../../../until';

const MB = 2 ** 20;
const studio = new Studio();
afterAll(() => studio.remove());

/**
 * Labels missing from the validation rows. The trainer names five of them in one warning of more than a
 * megabyte.
 */
const labels = Array.from({ length: 5 }, (_, i) => `${i}`.repeat(MB / 4));
studio.lab.write(
  'loud.jsonl',
  [...labels, 'pets', 'other']
    .flatMap((label, i) => [0, 1].map((k) => JSON.stringify({ text: `the cat played ${i} ${k}`, label })))
    .join('\n'),
);
const LOUD = ['data.train=loud.jsonl', 'training.epochs=20'];

describe('more than a megabyte of trainer output that nothing reads (T3)', () => {
  it('is written to trainer.log while training continues to its end', async () => {
    const run = await studio.start(studio.window(), ...LOUD);
    // Both streams go to the file, so no pipe can fill up.
    if (process.platform === 'linux')
      for (const stream of [1, 2])
        expect(readlinkSync(`/proc/${readStatus(run)!.pid}/fd/${stream}`)).toBe(join(run, 'trainer.log'));
    await until(() => readStatus(run)?.state === 'finished');
    expect(statSync(join(run, 'trainer.log')).size).toBeGreaterThan(MB);
    const all = events(run);
    const warned = all.findIndex((e) => e.kind === 'warning' && (e.message as string).length > MB);
    expect(warned).toBeGreaterThanOrEqual(0);
    expect(all.findIndex((e) => e.kind === 'started')).toBeGreaterThan(warned);
    expect(stepOf(run)).toBe(40);
  });
});
