import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

describe('the language demo', () => {
  it('lowers the perplexity of the untrained model within a few steps, and reports both', () => {
    const experiment = resolve('demo/debian-summaries.aurora.json');
    const few = ['--set', 'training.maxSteps=24', '--set', 'training.schedule=constant'];
    const out = lab.fresh('runs');
    const r = lab.run('train', experiment, '--baseline', '--device', 'cpu', '--out', out, ...few);
    expect(r.code, r.err).toBe(0);
    // Name, loss, perplexity.
    const row = (name: string) => new RegExp(`^  ${name} +[\\d.]+ +([\\d.,]+) `, 'm').exec(r.out)?.[1];
    const [before, after] = ['untrained', 'aurora, best'].map((name) => Number(row(name)?.replace(',', '')));
    expect(before, r.out).toBeGreaterThan(after * 1.2);
    // There is no head.
    expect(r.out).toMatch(/^Trained [\d,]+ adapter parameters \(.*\) in 28 modules\.$/m);
    expect(lab.runs(out)).toHaveLength(1);
  });
});

describe('a run after its untrained baseline', () => {
  it('still saves everything when it is interrupted', async () => {
    const out = lab.fresh('interrupted');
    const options = ['--baseline', '--device', 'cpu', '--out', out];
    const child = lab.start('train', resolve('demo/debian-summaries.aurora.json'), ...options);
    const ended = once(child, 'exit');
    while (!lab.begun(out, 'scalars.bin') && child.exitCode === null) await wait(50);
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    const events = lab.runs(out).flatMap((run) => readRun(run).events);
    expect(events.at(-1)).toMatchObject({ kind: 'stopped', reason: 'requested' });
  });
});

describe('the image demo', () => {
  it('reads its images, and learns more in a few steps than the most frequent class', () => {
    const few = ['--set', 'training.maxSteps=24', '--set', 'training.schedule=constant'];
    const args = ['--device', 'cpu', '--out', lab.fresh('images'), ...few];
    const r = lab.run('train', resolve('demo/fashion.aurora.json'), ...args);
    expect(r.code, r.err).toBe(0);
    expect(r.err).toContain('aurora on 12 modules: 2,500 examples, 600 for validation, 5 labels');
    const accuracy = (name: string) =>
      Number(new RegExp(`^  ${name} +[\\d.–]+ +([\\d.]+)%`, 'm').exec(r.out)?.[1]);
    expect(accuracy('baseline'), r.out).toBe(20);
    expect(accuracy('aurora, best'), r.out).toBeGreaterThan(30);
  });
});
