import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

describe('the language demo', () => {
  it('lowers the perplexity of the untrained model within a few steps, and reports both', () => {
    const experiment = resolve('demo/debian-summaries.aurora.json');
    // Evaluating all of its validation data takes longer than these steps.
    const texts = gunzipSync(readFileSync('demo/data/debian-summaries-validation.jsonl.gz')).toString();
    lab.write('summaries.jsonl', texts.split('\n').slice(0, 64).join('\n'));
    const validation = `data.validation=${lab.path('summaries.jsonl')}`;
    const few = ['training.maxSteps=12', 'training.schedule=constant', validation];
    const out = lab.fresh('runs');
    const set = few.flatMap((setting) => ['--set', setting]);
    const r = lab.run('train', experiment, '--baseline', '--device', 'cpu', '--out', out, ...set);
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
  // The untrained model is measured only if it has a head.
  const endless = new Lab({
    task: { type: 'masked-language-modeling', head: 'none' },
    training: { epochs: 40_000, evaluateEvery: 100_000 },
  });
  endless.write('model.onnx', readFileSync('test/fixtures/reference/more/masked-language-model.onnx'));
  afterAll(() => endless.remove());

  it('still saves everything when it is interrupted', async () => {
    const out = endless.fresh('interrupted');
    const child = endless.start('train', endless.experiment, '--baseline', '--device', 'cpu', '--out', out);
    const ended = once(child, 'exit');
    while (!endless.begun(out, 'scalars.bin') && child.exitCode === null) await wait(50);
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    const events = endless.runs(out).flatMap((run) => readRun(run).events);
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
