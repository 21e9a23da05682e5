import { describe, expect, it } from 'vitest';
import type { StudyRun } from '../../../src/study/study-run';
import { studyOf } from '../../../src/study/study';
import { groupsCsvRows, runsCsvRows } from '../../../src/study/study-report';
import { comparisonWords, examplesText, sectionNotes } from '../../../src/study/study-words';
import { metrics } from '../extension/run-maker';
import { aurora, lora, outcomes, studyRun } from './runs';

const score = (accuracy: number, more: Partial<NonNullable<StudyRun['test']>> = {}) => ({
  step: 60,
  metrics: { ...metrics(accuracy), examples: 500 },
  ...more,
});
const TEST = { test: '/data/test.jsonl' };
const study = (runs: StudyRun[]) => studyOf(runs, {});
const notes = (runs: StudyRun[]) => {
  const found = study(runs);
  return sectionNotes(found.sections[0], found).join('\n');
};

describe('runs that all have a score on the same test set', () => {
  const runs = [1, 2].flatMap((seed) => [
    studyRun(lora(), seed, 0.8, {
      data: TEST,
      test: score(0.6, { examples: outcomes(500, 300, seed) }),
      examples: outcomes(1000, 800),
    }),
    studyRun(aurora(), seed, 0.7, {
      data: TEST,
      test: score(0.65, { examples: outcomes(500, 325, seed) }),
      training: { earlyStopping: { patience: 2, minDelta: 0 } },
      chosenBy: ['early-stopping'],
    }),
  ]);

  it('are compared on it, example by example, and the words say so', () => {
    const found = study(runs);
    const [section] = found.sections;
    expect(section).toMatchObject({
      name: expect.stringContaining('test') as string,
      on: 'test',
      examples: 500,
    });
    expect(examplesText(section)).toBe('500 test examples');
    expect(section.groups.map((g) => g.metrics.accuracy.mean)).toEqual([0.6, 0.65]);
    const [comparison] = section.comparisons;
    expect(comparison).toMatchObject({ kind: 'crossed', on: 'test', examples: 500 });
    expect(comparison.mean).toBeCloseTo(0.05, 12);
    const words = comparisonWords(comparison, found);
    expect(words).toContain('Paired test over 2 seeds (1, 2) and 500 test examples');
    expect(words).not.toContain('validation');
    expect(found.missing.map((m) => m.what)).not.toContain('examples');
  });

  it('are not said to be chosen on it', () => {
    expect(notes(runs)).toContain('All numbers are from the test set, on which nothing was chosen');
    expect(notes(runs)).toContain('The test set has 500 examples.');
    expect(notes(runs)).not.toContain('optimistic');
    for (const csv of [runsCsvRows(study(runs)), groupsCsvRows(study(runs))]) {
      const [head, ...rows] = csv;
      const column = (name: string) => rows.map((row) => row[head.indexOf(name)]);
      expect(new Set(column('evaluated_on'))).toEqual(new Set(['test']));
      expect(new Set(column('chosen_on_validation'))).toEqual(new Set(['']));
    }
  });

  it('have a learning rate that was chosen on the validation set, not on the test set', () => {
    const rates = [1e-3, 2e-3].flatMap((learningRate, i) =>
      [1, 2].map((seed) =>
        studyRun(aurora(), seed, 0.7 + 0.1 * i, {
          data: TEST,
          test: score(0.9 - 0.2 * i),
          training: { learningRate },
        }),
      ),
    );
    const [{ groups, searches }] = study(rates).sections;
    const chosen = groups.find((g) => g.chosen)!;
    expect(chosen.learningRate).toBe(2e-3);
    expect(chosen.metrics.accuracy.mean).toBeCloseTo(0.7, 12);
    expect(searches[0].tried.map((t) => [t.learningRate, t.chosen])).toEqual([
      [1e-3, false],
      [2e-3, true],
    ]);
    expect(notes(rates)).toContain(
      'by the same rule for all methods: on the validation set, at the last step.',
    );
  });
});

describe('runs of which some lack a score', () => {
  it('are compared on the validation set, as are runs with different test sets', () => {
    const some = [studyRun(lora(), 1, 0.8), studyRun(aurora(), 1, 0.7, { data: TEST, test: score(0.9) })];
    const other = [
      studyRun(lora(), 1, 0.8, { data: { test: '/data/other.jsonl' }, test: score(0.1) }),
      some[1],
    ];
    for (const runs of [some, other]) {
      const { sections } = study(runs);
      // One section: what a run is scored on at its end does not change what it has learned.
      expect(sections).toHaveLength(1);
      expect(sections[0].on).toBe('validation');
      expect(sections[0].groups.map((g) => g.metrics.accuracy.mean)).toEqual([0.8, 0.7]);
      expect(notes(runs)).toContain('all are compared on the validation set');
    }
    expect(notes([some[0]])).not.toContain('all are compared on the validation set');
  });
});

describe('runs with evaluation sets', () => {
  const data = { evaluations: { a: { path: '/a.json' }, b: { path: '/b.json' } } };
  const runs = [1, 2].flatMap((seed) => [
    studyRun(lora(), seed, 0.8, { data, evaluations: score(0.5) }),
    studyRun(aurora(), seed, 0.7, { data, evaluations: score(0.4 + 0.1 * seed) }),
  ]);

  it('are compared on the mean over them, over seeds only', () => {
    const found = study(runs);
    const [section] = found.sections;
    expect(section.on).toBe('evaluations');
    expect(section.samplingError).toBeUndefined();
    expect(examplesText(section)).toBe('mean over the evaluation sets');
    expect(comparisonWords(section.comparisons[0], found)).toContain(
      'Paired test over 2 seeds (1, 2) only, on the same evaluation sets',
    );
    expect(notes(runs)).toContain('unweighted means over the evaluation sets');
    expect(found.missing.map((m) => m.what)).not.toContain('examples');
  });

  it('are compared on the test set instead if they have one', () => {
    const tested = runs.map((r) => ({
      ...r,
      spec: { ...r.spec, data: { ...r.spec.data, ...TEST } },
      test: score(0.3),
    }));
    expect(study(tested).sections[0].on).toBe('test');
  });
});
