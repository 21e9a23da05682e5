import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Evaluation } from '../../src/protocol/evaluations';
import type { PreflightEstimate } from '../../src/protocol/preflight';
import { readRun } from '../read-run';
import { Lab } from './lab';

const FIXTURE = resolve('test/fixtures/playground/language');

/** A small language model with a key/value cache that learns to copy a number into its answer. */
const lab = new Lab({
  task: {
    type: 'causal-language-modeling',
    head: 'none',
    scoring: ['exact-match', 'last-number'],
    answers: { pattern: '#### (.+)', maxNewTokens: 16, stop: ['\n\n'] },
  },
  model: { maxLength: 48 },
  data: {
    textColumn: 'prompt',
    completionColumn: 'completion',
    evaluations: { more: { path: 'more.jsonl' } },
  },
  adapter: { method: 'aurora', rank: 8, targetModules: ['c_attn', 'c_proj', 'c_fc'] },
  training: { epochs: 12, batchSize: 8, evaluateEvery: 48, checkpointEvery: 48, learningRate: 0.01 },
});
afterAll(() => lab.remove());
lab.write('model.onnx', readFileSync(join(FIXTURE, 'with-past.onnx')));
for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json'])
  lab.write(name, readFileSync(join(FIXTURE, name)));
const rows = (count: number, salt: number) =>
  Array.from({ length: count }, (_, i) => {
    const n = 1 + ((i * 7 + salt) % 4);
    return `${JSON.stringify({ prompt: `${n} cats: `, completion: `it is\n#### ${n}` })}\n`;
  }).join('');
lab.write('train.jsonl', rows(96, 0));
lab.write('validation.jsonl', rows(16, 1));
lab.write('more.jsonl', rows(12, 2));

describe('a language model that is scored by its written answers', () => {
  const trained = lab.run('train', lab.experiment, '--out', lab.path('runs'));
  const [run] = lab.runs(lab.path('runs'));
  const { events, result } = readRun(run);
  const evaluations = events.filter((e): e is Evaluation => e.kind === 'evaluation');

  it('gets more of them right as it learns, and its best checkpoint is chosen by them', () => {
    expect([trained.code, trained.err]).toEqual([0, expect.stringContaining('exact match')]);
    const [first, last] = [evaluations[0].metrics, evaluations.at(-1)!.metrics];
    expect(last.exactMatch).toBeGreaterThan(0.5);
    expect(last.lastNumber).toBeGreaterThan(0.5);
    expect(last.exactMatch!).toBeGreaterThanOrEqual(first.exactMatch!);
    const best = Math.max(...evaluations.map((e) => e.metrics.exactMatch!));
    expect(result!.best).toMatchObject({ exactMatch: best });
    expect(result).toMatchObject({
      scoring: ['exact-match', 'last-number'],
      answers: { pattern: '#### (.+)', maxNewTokens: 16 },
      baseline: { metric: 'exactMatch' },
      evaluations: { more: { exactMatch: expect.any(Number), lastNumber: expect.any(Number) } },
    });
    expect(trained.out).toMatch(
      /Answers were found in a greedily generated text of at most 16 tokens, by exact match/,
    );
  });

  it('shows what was written beside what is wrong', () => {
    const errors = lab.run('errors', run, '--top', '2');
    expect(errors.code).toBe(0);
    expect(errors.out).toMatch(/of 16 validation examples are right/);
    expect(errors.out).toMatch(
      /Written answers\n +by +right +wrong .*\n +exact match +\d+ +\d+ [^]*\n +last number +\d+/,
    );
    expect(errors.out).toMatch(/exact match .*; last number .*; wrote: \S/);
    const set = lab.run('errors', run, '--on', 'evaluations.more', '--json');
    const lines = set.out
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as { kind: string; done?: number; of?: number });
    expect(lines.find((l) => l.kind === 'writing')).toMatchObject({ of: 12 });
  });

  it('is exported without writing for each form', () => {
    const exported = lab.run('export', run, '--as', 'onnx-dynamic');
    expect([exported.code, exported.err]).toEqual([0, expect.any(String)]);
    expect(exported.out).toMatch(/perplexity/);
    expect(exported.out).not.toMatch(/NaN/);
  });

  it('has what writing costs in its preflight', () => {
    const r = lab.run('preflight', lab.experiment, '--json', '--steps', '2');
    expect(r.code).toBe(0);
    const estimate = r.out
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as { kind: string })
      .find((l) => l.kind === 'estimate') as PreflightEstimate;
    // Three evaluations of 16 answers, and the set of 12.
    expect(estimate.writing).toMatchObject({ answers: 3 * 16 + 12, minutes: expect.any(Number) });
    expect(estimate.writing!.minutes).toBeGreaterThan(0);
    expect(estimate.writing!.minutes).toBeLessThanOrEqual(estimate.otherMinutes);
    expect(lab.run('preflight', lab.experiment, '--steps', '1').out).toMatch(
      /for writing 60 answers of up to \d+ tokens/,
    );
  });

  it('is refused before training if its pattern finds nothing, or has no group', () => {
    const train = (pattern: string) =>
      lab.run(
        'train',
        lab.experiment,
        '--out',
        lab.path('refused'),
        '--set',
        `task.answers.pattern=${pattern}`,
      );
    const nothing = train('Answer: (.+)');
    expect(nothing.code).not.toBe(0);
    expect(nothing.err).toMatch(/finds nothing in any of the 16 answers.*\n +Correct the pattern/);
    expect(nothing.err).not.toMatch(/step 1\//);
    const [failed] = lab.runs(lab.path('refused'));
    expect(readRun(failed).events.at(-1)).toMatchObject({ kind: 'failed', step: 0 });
    const groupless = train('#### .+');
    expect(groupless.code).not.toBe(0);
    expect(groupless.err).toMatch(/task\.answers\.pattern has no group/);
  });
});
