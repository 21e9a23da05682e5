import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runPaths } from '../../src/runs/layout';
import { readRun } from '../read-run';
import { SCALAR_COLUMNS } from '../../src/protocol/events';
import { Lab, warnings } from './lab';

// Evaluations at 10 and 20, additional checkpoints at 3, 6, …; 24 steps in total.
const lab = new Lab({ training: { epochs: 2 } });
afterAll(() => lab.remove());
const WIDTH = SCALAR_COLUMNS.length * 8;

/** A run that stopped at step 10 with a checkpoint. */
function stopped(name: string): string {
  const out = lab.path(name);
  expect(lab.run('train', lab.experiment, '--out', out, '--pause-at', 'step:10').code).toBe(130);
  return lab.runs(out)[0];
}
/** The run's warnings, except those about its data. */
const damage = (run: string) => warnings(run).filter((w) => /scalars\.bin|checkpoint/.test(w));
const losses = (run: string) => [...readRun(run).scalars.column('loss')!];
const steps = (run: string) => [...readRun(run).scalars.column('step')!];

describe('a resumed run', () => {
  const whole = stopped('whole');

  it('reports nothing if nothing is damaged', () => {
    expect(lab.run('train', '--resume', whole).code).toBe(0);
    expect(damage(whole)).toEqual([]);
    expect(steps(whole)).toHaveLength(24);
  });

  it('skips a checkpoint that was altered and reaches the same curve from the previous one', () => {
    const run = stopped('step');
    const state = join(runPaths(run).checkpoints, 'step-000010/state.json');
    const text = readFileSync(state, 'utf8');
    writeFileSync(state, text.replace('"examplesSeen": 80', '"examplesSeen": 88'));
    const r = lab.run('train', '--resume', run);
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('Resuming at step 9')]);
    expect(damage(run)).toEqual([
      expect.stringMatching(/^Skipped the checkpoint of step 10: .+checksum differs/),
    ]);
    expect(losses(run)).toEqual(losses(whole));
  });

  it('reports steps that its curve has lost and keeps the rest', () => {
    const run = stopped('cut');
    truncateSync(runPaths(run).scalars, 4 * WIDTH + 3);
    const r = lab.run('train', '--resume', run);
    const words = 'scalars.bin has no records of steps 5 to 10: the curve has a gap there.';
    expect([r.code, r.err]).toEqual([0, expect.stringContaining(words)]);
    expect(damage(run)).toEqual([expect.stringContaining(words)]);
    expect(steps(run)).toEqual(steps(whole).filter((s) => s <= 4 || s > 10));
  });

  it('reports a flipped bit in its curve', () => {
    const run = stopped('flipped');
    const bytes = readFileSync(runPaths(run).scalars);
    bytes[5 * WIDTH + 21] ^= 1;
    writeFileSync(runPaths(run).scalars, bytes);
    const r = lab.run('train', '--resume', run);
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('its SHA-256 up to step 10 differs')]);
    expect(damage(run)).toHaveLength(1);
    expect(steps(run)).toEqual(steps(whole));
  });

  it('passes the damage of its curve on to a fork, which reports it', () => {
    const run = stopped('forked');
    truncateSync(runPaths(run).scalars, 4 * WIDTH);
    const r = lab.run('train', '--fork', run, '--at', '10');
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('has no records of steps 5 to 10')]);
  });
});
