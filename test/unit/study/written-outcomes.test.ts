import { describe, expect, it } from 'vitest';
import { type WrittenAnswers, writtenColumns } from '../../../src/protocol/answers/written';
import { outcomesOf } from '../../../src/runs/run-in-study';
import { testedRun } from '../../../src/study/claim/pseudo-values';
import { measure } from '../../../src/study/compare-groups';
import type { StudyRun } from '../../../src/study/study-run';
import { lora, studyRun } from './runs';

/** Answers that are right by exact match and by their last number; 1 for a right one. */
function answers(exact: number[], last: number[]): WrittenAnswers {
  const column = (value: number) => exact.map(() => value);
  const judged = (scoring: 'exact-match' | 'last-number', right: number[]) => ({
    ...{ scoring, right, reference: right.map(() => '1'), written: right.map((r) => (r ? '1' : null)) },
  });
  return {
    answer: 'written',
    labels: [],
    columns: writtenColumns({
      ...{ line: exact.map((_, i) => i + 1), loss: column(0.5), margin: column(0), tokens: column(9) },
      ...{ cut: column(0), answered: column(4), right: column(3), written: column(5) },
    }),
    texts: exact.map(() => ''),
    references: exact.map(() => ''),
    judged: [judged('exact-match', exact), judged('last-number', last)],
  };
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** A run with these outcomes for each example. */
function run(exact: number[], last: number[]): StudyRun {
  const kept = answers(exact, last);
  const metrics = { loss: 0.5, exactMatch: mean(exact), lastNumber: mean(last), examples: exact.length };
  const facts = { step: 1, form: 'dynamic', data: { file: '', sha256: 'a' }, metrics, excerpts: [] } as const;
  return studyRun(lora(), 1, 0.5, { metrics, examples: outcomesOf({ ...facts, ...kept, excerpts: [] }) });
}

describe('runs that are scored by written answers', () => {
  it('are compared by each metric with its own outcomes, example by example', () => {
    const a = run([1, 1, 1, 1, 0, 1], [0, 0, 1, 1, 1, 1]);
    const b = run([0, 0, 1, 1, 0, 0], [0, 1, 1, 1, 1, 1]);
    const group = (of: StudyRun) => ({ runs: [of], metrics: {} }) as unknown as Parameters<typeof measure>[0];
    const by = (metric: 'exactMatch' | 'lastNumber') => measure(group(a), group(b), metric);
    expect(by('exactMatch')).toMatchObject({ kind: 'examples', examples: 6, mean: 0.5 });
    // Three of three differences in one direction: McNemar's exact p is 2 / 2³.
    expect(by('exactMatch')).toMatchObject({ exact: 0.25 });
    expect(by('lastNumber').mean).toBeCloseTo(-1 / 6, 12);
    expect(by('lastNumber')).toMatchObject({ exact: 1 });
  });

  it('are tested in claims by the share of right answers of the metric', () => {
    const kept = answers([1, 0, 1, 0], [1, 1, 1, 0]);
    expect(testedRun('exactMatch', kept, 0.5)).toEqual({
      ...{ value: 0.5, examples: 4 },
      rows: new Float64Array([1, 0, 1, 0]),
    });
    expect(testedRun('lastNumber', kept, 0.75).rows).toEqual(new Float64Array([1, 1, 1, 0]));
    const alone = { ...kept, judged: kept.judged.slice(0, 1) };
    expect(testedRun('lastNumber', alone, 0.75)).toEqual({ value: 0.75, examples: 4 });
  });
});

describe('a loss over tokens', () => {
  const written = answers([1, 0, 1, 0], [1, 1, 1, 0]);
  /** Texts with these mean losses and numbers of tokens; `loss` is the run's own. */
  function ofTokens(losses: number[], tokens: number[], loss: number): StudyRun {
    const columns = {
      ...written.columns,
      loss: Float64Array.from(losses),
      answered: Uint32Array.from(tokens),
    };
    const metrics = { loss, exactMatch: 0.5, lastNumber: 0.75, examples: 4 };
    const facts = { step: 1, form: 'dynamic', data: { file: '', sha256: 'a' }, metrics } as const;
    return studyRun(lora(), 1, 0.5, {
      metrics,
      examples: outcomesOf({ ...facts, ...written, columns, excerpts: [] }),
    });
  }
  const group = (of: StudyRun) =>
    ({ runs: [of], metrics: { loss: { mean: of.metrics.loss } } }) as unknown as Parameters<
      typeof measure
    >[0];
  const TOKENS = [1, 2, 3, 994];

  it('is compared by pseudo-values, whose mean is the difference over all tokens', () => {
    // The short texts are worse and the long one is better: 0.1 less over all tokens, but more over texts.
    const b = ofTokens([1, 1, 1, 1], TOKENS, 1);
    const losses = [2, 2, 2, 0.8933601609657948];
    const loss = losses.reduce((sum, l, i) => sum + l * TOKENS[i], 0) / 1000;
    const measured = measure(group(ofTokens(losses, TOKENS, loss)), group(b), 'loss');
    expect(measured).toMatchObject({ kind: 'examples', examples: 4 });
    expect(measured.mean).toBeCloseTo(-0.1, 12);
  });

  it('is not tested by texts if it is not that of the predictions', () => {
    const [a, b] = [ofTokens([1, 2, 3, 4], TOKENS, 2.5), ofTokens([1, 1, 1, 1], TOKENS, 1)];
    expect(measure(group(a), group(b), 'loss')).toMatchObject({ kind: 'none', mean: 1.5 });
  });
});
