import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import type { EvaluationMetrics } from '../../src/protocol/events';
import type { FinishedResult } from '../../src/training/run/run-result';
import { readInputs } from '../../src/runs/inputs';
import { readRun } from '../read-run';
import { CLI, Lab } from './lab';

/** By loss, stopped early: only the first evaluation is progress, since no loss falls by 1. */
const lab = new Lab({
  training: {
    ...{ metric: 'loss', evaluateEvery: 4, checkpointEvery: 4, schedule: 'constant' },
    earlyStopping: { patience: 2, minDelta: 1 },
  },
});
afterAll(() => lab.remove());

interface Line {
  text: string;
  label: string;
}

const rows = lab
  .read('validation.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Line);
const jsonl = (all: readonly object[]) => `${all.map((row) => JSON.stringify(row)).join('\n')}\n`;

/** With each label replaced by the other: what training improves on the true labels, it worsens here. */
lab.write(
  'flipped.jsonl',
  jsonl(rows.map(({ text, label }) => ({ text, label: label === 'pets' ? 'other' : 'pets' }))),
);
lab.write(
  'renamed.csv',
  `sentence,class\n${rows
    .slice(0, 9)
    .map(({ text, label }) => `"${text}",${label}\n`)
    .join('')}`,
);

const EVALUATIONS = {
  whole: { path: 'validation.jsonl' },
  renamed: { path: 'renamed.csv', textColumn: 'sentence', labelColumn: 'class' },
};
const set = (key: string, value: unknown) => ['--set', `${key}=${JSON.stringify(value)}`];
const FLIPPED = set('data.validation', 'flipped.jsonl');
const SCORED = [...FLIPPED, ...set('data.test', 'validation.jsonl'), ...set('data.evaluations', EVALUATIONS)];

function trained(out: string, ...args: string[]): { run: string; out: string; err: string } {
  const r = lab.run('train', lab.experiment, '--threads', '1', '--out', lab.path(out), ...args);
  expect(r.code, r.err).toBe(EXIT.ok);
  return { ...r, run: lab.runs(lab.path(out))[0] };
}

const memo = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => (made ??= make());
};

/** Chosen by the flipped labels, scored on the true ones. */
const scored = memo(() => trained('scored', ...SCORED));
/** Training without a test set, chosen by the true labels. */
const plain = memo(() => trained('plain'));

const resultOf = (run: string) => readRun(run).result as unknown as FinishedResult;
const scoresIn = (run: string) => readRun(run).events.filter((e) => e.kind === 'test-evaluation');
const weights = (run: string, which: 'best' | 'last') =>
  readFileSync(join(run, 'adapter', which, 'adapter_model.safetensors'));
const evaluations = (run: string) => readRun(run).events.filter((e) => e.kind === 'evaluation');

describe('a run with a test set', () => {
  it('scores it once, at its end, with the adapter that validation chose, which is not the best on it', () => {
    const { run } = scored();
    const result = resultOf(run);
    const onTrue = new Map(evaluations(plain().run).map((e) => [e.step, e.metrics]));
    const chosen = result.best.step;
    // The proof that the test set had no say: on it, another checkpoint is better.
    expect(chosen).toBe(4);
    expect(resultOf(plain().run).best.step).toBe(12);
    expect(result.outcome).toBe('early-stopping');
    expect([result.steps, [...onTrue.keys()]]).toEqual([12, [4, 8, 12]]);
    const test = result.test as EvaluationMetrics;
    expect(test).toEqual(onTrue.get(chosen));
    expect(test.loss).toBeGreaterThan(onTrue.get(12)!.loss);
    expect(weights(run, 'last')).toEqual(weights(plain().run, 'last'));
    const scores = scoresIn(run);
    expect(scores.map((e) => [e.set, e.step])).toEqual([
      [undefined, 4],
      ['whole', 4],
      ['renamed', 4],
    ]);
    expect(scores[0].metrics).toEqual(test);
    // After the last evaluation, and before the run's last line.
    const kinds = readRun(run).events.map((e) => e.kind);
    expect(kinds.lastIndexOf('evaluation')).toBeLessThan(kinds.indexOf('test-evaluation'));
    expect(kinds.at(-1)).toBe('finished');
  });

  it('scores each evaluation set with its own columns, and reports the unweighted mean', () => {
    const { run, out, err } = scored();
    const { evaluations: sets, evaluationsMean: mean, test } = resultOf(run);
    const { whole, renamed } = sets as Record<string, EvaluationMetrics>;
    expect(whole).toEqual(test);
    expect(renamed.examples).toBe(9);
    for (const name of ['loss', 'accuracy', 'f1', 'matthews'] as const)
      expect((mean as EvaluationMetrics)[name]).toBeCloseTo((whole[name]! + renamed[name]!) / 2, 12);
    expect(mean).not.toHaveProperty('examples');
    expect(err).toContain('Evaluating the best adapter on the test set: 24 examples…');
    expect(err).toMatch(/renamed: loss [\d.]+ · accuracy/);
    expect(out).toContain('Of the best adapter, of step 4, on data that training did not see:');
    expect(out).toMatch(
      /test +[\d.]+ +[\d.]+%.*24 examples\n.*whole .*24 examples\n.*renamed .*9 examples\n.*mean of 2 sets/,
    );
  });

  it('records the files as inputs of the run, each once', () => {
    const { files } = readInputs(scored().run)!;
    const of = (role: string) => files.filter((f) => f.role === role).map((f) => f.path);
    expect(of('test')).toEqual([lab.path('validation.jsonl')]);
    expect(of('evaluation')).toEqual([lab.path('renamed.csv')]);
    expect(of('validation')).toEqual([lab.path('flipped.jsonl')]);
  });

  it('lists its errors on the test set, and what it scored in the card of an export', () => {
    const { run } = scored();
    const { test } = resultOf(run);
    const { accuracy } = test as EvaluationMetrics;
    const errors = lab.run('errors', run, '--on', 'test');
    expect(errors.out, errors.err).toContain(
      `Step 4: ${Math.round(24 * accuracy!)} of 24 test examples are right`,
    );
    expect(errors.out).toContain(join(run, 'predictions', 'test-step-000004.json'));
    const renamed = lab.run('errors', run, '--on', 'evaluations.renamed');
    expect(renamed.out, renamed.err).toMatch(/^Step 4: \d of 9 examples of renamed are right/);
    expect(renamed.out).toMatch(/predictions.evaluation-[\da-f]{8}-step-000004\.json/);
    expect(lab.run('errors', run, '--on', 'everything')).toMatchObject({ code: EXIT.usage });
    expect(lab.run('errors', run, '--on', 'evaluations.none').err).toContain(
      'has no evaluation set "none".\n       Its sets are validation, test, evaluations.whole, evaluations.renamed.',
    );
    const folder = lab.fresh('exported');
    const exported = lab.run('export', run, '--as', 'adapter', '--out', folder);
    expect(exported.code, exported.err).toBe(EXIT.ok);
    const card = readFileSync(join(folder, 'README.md'), 'utf8');
    expect(card).toMatch(/On data that training did not see, as trained, scored once/);
    expect(card).toMatch(
      /\| test \| 24 \| [^\n]+\n\| whole \| 24 \| [^\n]+\n\| renamed \| 9 \| [^\n]+\n\| mean of 2 sets \| – \|/,
    );
  });

  it('is compared on it by a study', () => {
    const r = lab.run('study', scored().run, '--measure');
    const text = r.out.replace(/\s+/g, ' ');
    expect(text).toContain('validation, 24 test examples');
    expect(text).toContain('All numbers are from the test set, on which nothing was chosen');
    expect(text).not.toContain('per-example predictions are not stored');
  });
});

/** Runs the program, which kills itself at the given moment. */
function killedAt(
  moment: { line?: string; pattern?: string; nth?: number; when?: string },
  ...args: string[]
) {
  return spawnSync(
    process.execPath,
    ['--require', resolve('test/cli/kill-at.cjs'), CLI, 'train', ...args, '--threads', '1'],
    {
      encoding: 'utf8',
      timeout: 900_000,
      env: { ...process.env, AURORA_TEST_KILL: JSON.stringify(moment) },
    },
  );
}

/** The part of a result that does not depend on the clock or the machine. */
const comparable = ({ best, last, test, evaluations, evaluationsMean, outcome, steps }: FinishedResult) => ({
  ...{ best, last, test, evaluations, evaluationsMean, outcome, steps },
});

describe('a run killed while it is being scored', () => {
  it.each([
    ['before its first score', { line: '"kind":"test-evaluation"' }],
    ['between two scores', { line: '"kind":"test-evaluation"', nth: 2, when: 'after' }],
    ['before its result', { pattern: '/result\\.json$' }],
  ])('has the same result after a resume: %s', (name, moment) => {
    const out = lab.fresh(name.replaceAll(' ', '-'));
    const killed = killedAt(moment, lab.experiment, '--out', out, ...SCORED);
    expect(killed.signal, killed.stderr).toBe('SIGKILL');
    const [run] = lab.runs(out);
    const resumed = lab.run('train', '--resume', run, '--threads', '1');
    expect(resumed.code, resumed.err).toBe(EXIT.ok);
    expect(comparable(resultOf(run))).toEqual(comparable(resultOf(scored().run)));
    expect(scoresIn(run).map((e) => e.set)).toEqual([undefined, 'whole', 'renamed']);
    for (const which of ['best', 'last'] as const)
      expect(weights(run, which)).toEqual(weights(scored().run, which));
  });
});

it('scores the head alone on the whole model, although its training reused the features', () => {
  const { run } = trained(
    'head',
    ...set('adapter', { method: 'none' }),
    ...set('data.test', 'validation.jsonl'),
    ...set('training.maxSteps', 8),
  );
  const { test, best, last } = resultOf(run);
  // The test set here is the validation set.
  expect((test as EvaluationMetrics).loss).toBeCloseTo(best.loss, 5);
  expect(last.examples).toBe(24);
});

describe('a mistake in a test set', () => {
  it('ends the run before its first step, naming the row', () => {
    lab.write('unknown.jsonl', jsonl([rows[0], { text: 'the cat', label: 'petz' }]));
    const unknown = set('data.test', 'unknown.jsonl');
    const r = lab.run('train', lab.experiment, '--out', lab.fresh('unknown'), ...unknown);
    expect(r.code).not.toBe(EXIT.ok);
    expect(r.err).toContain('unknown.jsonl:2');
    expect(r.err).toContain('the label "petz" is not among the 2 that are trained (nearest: "pets")');
    const skipped = lab.run(
      'preflight',
      lab.experiment,
      '--json',
      ...unknown,
      ...set('data.onBadRow', 'skip'),
      ...set('data.evaluations', { seen: { path: 'train.jsonl' } }),
    );
    const lines = skipped.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.find((l) => l.kind === 'data')).toMatchObject({
      sets: [
        { key: 'data.test', examples: 1, badRows: { count: 1 }, inValidation: { count: 1 } },
        { name: 'seen', key: 'data.evaluations.seen.path', examples: 96, inTrain: { count: 96 } },
      ],
    });
    const problems = lines.filter((l) => l.kind === 'problem').map((l) => `${l.key}: ${l.message}`);
    expect(problems.join('\n')).toMatch(
      /data\.test: .*unknown\.jsonl:2: a row has a label that no training row has: "petz"/,
    );
    expect(problems.join('\n')).toMatch(
      /data\.evaluations\.seen\.path: 96 of 96 examples of the evaluation set "seen" are also trained on/,
    );
  });
});
