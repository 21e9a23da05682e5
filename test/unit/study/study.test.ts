import { describe, expect, it } from 'vitest';
import { missingWords } from '../../../src/study/missing-results';
import { studyOf, type StudyOptions } from '../../../src/study/study';
import type { StudyRun, UnfitRun } from '../../../src/study/study-run';
import { groupsCsvRows, groupTable, rateTable } from '../../../src/study/study-report';
import { comparisonWords, leftOutWords, sectionNotes } from '../../../src/study/study-words';
import { METRICS } from '../../../src/experiment/metrics';
import { FIGURES, figureOf } from '../../../src/study/figures/all';
import { metricTitle, resolutionOf } from '../../../src/study/metric';
import { aurora, lora, outcomes, studyRun } from './runs';

const study = (runs: readonly (StudyRun | UnfitRun)[], options: StudyOptions = {}) => studyOf(runs, options);
const labels = (runs: readonly StudyRun[]) => study(runs).sections[0].groups.map((g) => g.label);
const seeds = [1, 2, 3];

describe('groups', () => {
  it('contain runs with the same settings except the seed and are named by what varies', () => {
    const runs = seeds.flatMap((seed) => [
      studyRun({ method: 'none' }, seed, 0.6),
      studyRun(lora(2), seed, 0.62),
      studyRun(lora(8), seed, 0.65),
      studyRun(aurora(), seed, 0.63),
      studyRun(aurora({ fixed: false }), seed, 0.61),
      studyRun(aurora({ activation: 'leaky-relu' }), seed, 0.62),
      studyRun(aurora(), seed, 0.63, { training: { staticEpochs: 1 } }),
    ]);
    const [{ groups, reference }] = study(runs).sections;
    expect(groups.map((g) => [g.label, g.runs.length])).toEqual([
      ['head only', 3],
      ['LoRA r=2', 3],
      ['LoRA r=8', 3],
      ['AuroRA r=2, LeakyReLU', 3],
      ['AuroRA r=2, tanh', 3],
      ['AuroRA r=2, tanh, staticEpochs 1', 3],
      ['AuroRA r=2, tanh, without F', 3],
    ]);
    expect(reference).toBe('LoRA r=2');
  });

  it('name the reading of the spline where it is not the default', () => {
    const runs = [
      studyRun(aurora(), 1, 0.6),
      studyRun(aurora({ spline: 'per-dimension' }), 1, 0.61),
      studyRun(aurora({ spline: 'per-pair' }), 1, 0.62),
    ];
    expect(labels(runs).sort()).toEqual([
      'AuroRA r=2',
      'AuroRA r=2, a spline per dimension',
      'AuroRA r=2, a spline per pair',
    ]);
  });

  it('ignore settings that do not affect the result or have no effect at their value', () => {
    const runs = [
      studyRun(aurora(), 1, 0.6),
      studyRun(aurora(), 2, 0.6, { training: { checkpointEvery: 7, microBatchSize: 4, staticEpochs: 0 } }),
    ];
    expect(labels(runs)).toEqual(['AuroRA r=2']);
    // A default may be written out or left out.
    const said = study([
      studyRun(aurora(), 1, 0.6),
      studyRun(aurora(), 2, 0.6, { data: { header: true, quoting: 'auto' } }),
      studyRun(aurora(), 3, 0.6, { data: { quoting: 'none' } }),
    ]);
    expect(said.sections.map((s) => s.groups[0].runs.length)).toEqual([2, 1]);
  });

  it('with different data are compared separately', () => {
    const runs = [
      studyRun(aurora(), 1, 0.6),
      studyRun(aurora(), 1, 0.9, { data: { validation: '/spam/validation.jsonl' } }),
    ];
    expect(study(runs).sections.map((s) => s.name)).toEqual(['data/validation', 'spam/validation']);
  });

  it('count the newest of several runs with the same seed and list those left out', () => {
    const old = studyRun(aurora(), 1, 0.6);
    const again = studyRun(aurora(), 1, 0.7);
    const all = study([again, old, { folder: '/runs/x', name: 'half', unfit: 'unfinished' }]);
    expect(all.sections[0].groups[0].metrics.accuracy).toEqual({ n: 1, mean: 0.7 });
    expect(leftOutWords(all)).toEqual([
      `${old.name} is excluded: same settings and seed as a newer run.`,
      'half is excluded: not finished.',
    ]);
  });
});

describe('the table of groups', () => {
  it('states once what is the same for all, and has no column without values', () => {
    const runs = seeds.flatMap((seed) => [studyRun(lora(2), seed, 0.62), studyRun(aurora(), seed, 0.63)]);
    const table = groupTable(study(runs).sections[0], 'accuracy');
    expect(table.same).toMatch(/^The same for all groups: runs 3 · .*learning rate /);
    expect(table.head).not.toContain('learning rate');
    expect(table.head).not.toContain('runs');
    expect(table.head).toContain('accuracy, %');
    for (const row of table.rows) expect(row).toHaveLength(table.head.length);
    // One group alone cannot be compared.
    const [alone] = study(runs.slice(0, 1)).sections;
    expect(groupTable(alone, 'accuracy')).toMatchObject({
      same: '',
      head: expect.arrayContaining(['runs', 'learning rate']) as string[],
    });
  });
});

describe('runs that diverged', () => {
  const lost = (run: StudyRun): UnfitRun => ({ ...run, unfit: 'diverged' });

  it("are left out of their group's numbers, and the group shows how many there are", () => {
    const all = study([
      studyRun(aurora(), 1, 0.6),
      studyRun(aurora(), 2, 0.8),
      lost(studyRun(aurora(), 3, 0)),
      studyRun(lora(), 1, 0.6),
    ]);
    const [section] = all.sections;
    const group = section.groups.find((g) => g.method === 'aurora')!;
    expect(group.metrics.accuracy).toMatchObject({ n: 2, mean: 0.7 });
    expect(group.diverged).toEqual([3]);
    expect(groupTable(section, 'accuracy').rows.map((row) => row[1])).toEqual(['1', '2 (and 1 diverged)']);
    expect(sectionNotes(section, all)).toContain(
      'Of the 3 runs of AuroRA r=2, 1 diverged (seeds 3). Its numbers cover only the others, so they are slightly optimistic.',
    );
    expect(leftOutWords(all)).toEqual([expect.stringMatching(/ is excluded: training diverged\.$/)]);
  });

  it('do not count if another run with the same settings and seed finished', () => {
    const all = study([studyRun(aurora(), 1, 0.6), lost(studyRun(aurora(), 1, 0))]);
    expect(all.sections[0].groups[0].diverged).toEqual([]);
  });

  it('rule out their learning rate if other rates finished with the same seed', () => {
    const rate = (learningRate: number) => ({ training: { learningRate, headLearningRate: learningRate } });
    const runs = [
      studyRun(aurora(), 1, 0.9, rate(2e-3)),
      lost(studyRun(aurora(), 2, 0, rate(2e-3))),
      studyRun(aurora(), 1, 0.6, rate(1e-3)),
    ];
    const both = [...runs, studyRun(aurora(), 2, 0.6, rate(1e-3))];
    expect(study(runs).sections[0].searches[0].tried).toMatchObject([
      { mean: 0.6, chosen: false },
      { mean: 0.9, chosen: true },
    ]);
    const [section] = study(both).sections;
    expect(section.searches[0].tried).toMatchObject([
      { mean: 0.6, chosen: true },
      { mean: 'diverged', chosen: false },
    ]);
    expect(rateTable(section, 'accuracy')!.rows.map((row) => row[2])).toEqual(['60.0', 'diverged']);
  });

  it('stay in the table of learning rates even if no run is left', () => {
    const rate = (learningRate: number) => ({ training: { learningRate, headLearningRate: learningRate } });
    const all = study([
      studyRun(aurora(), 1, 0.6, rate(1e-3)),
      lost(studyRun(aurora(), 1, 0, rate(2e-3))),
      lost(studyRun(aurora(), 2, 0, rate(2e-3))),
      studyRun(lora(), 1, 0.6, rate(1e-3)),
      studyRun(lora(), 1, 0.7, rate(5e-4)),
      lost(studyRun(lora(), 1, 0, rate(7e-4))),
    ]);
    const [section] = all.sections;
    expect(rateTable(section, 'accuracy')!.rows).toEqual([
      ['LoRA r=2', '5e-4', '70.0', 'yes'],
      ['LoRA r=2', '7e-4', 'diverged', ''],
      ['LoRA r=2', '1e-3', '60.0', ''],
      ['AuroRA r=2', '1e-3', '60.0', 'yes'],
      ['AuroRA r=2', '2e-3', 'diverged', ''],
    ]);
    expect(sectionNotes(section, all).at(-2)).toContain('3 for LoRA r=2, 2 for AuroRA r=2');
    const [head, ...rows] = groupsCsvRows(all);
    const column = (name: string) => rows.map((row) => row[head.indexOf(name)]);
    expect(rows.map((row) => row.length)).toEqual(rows.map(() => head.length));
    expect(column('group').slice(-2)).toEqual(['LoRA r=2', 'AuroRA r=2']);
    expect(column('method').slice(-2)).toEqual(['lora', 'aurora']);
    expect(column('learning_rate')).toEqual([5e-4, 1e-3, 1e-3, 7e-4, 2e-3]);
    expect(column('runs')).toEqual([1, 1, 1, 0, 0]);
    expect(column('chosen')).toEqual([1, 0, 1, 0, 0]);
    expect(column('accuracy_mean').slice(-2)).toEqual(['diverged', 'diverged']);
    expect(column('diverged_seeds')).toEqual(['', '', '', '1', '1 2']);
  });
});

describe('the choice of learning rates', () => {
  const rate = (learningRate: number) => ({ training: { learningRate, headLearningRate: learningRate } });
  const runs = [
    studyRun(aurora(), 1, 0.7, rate(1e-3)),
    studyRun(aurora(), 1, 0.75, rate(2e-3)),
    // This seed is missing for the other rate, so its better result must not count.
    studyRun(aurora(), 2, 0.9, rate(1e-3)),
    studyRun(lora(), 1, 0.72, rate(1e-3)),
  ];

  it('uses the mean over the seeds that all rates have', () => {
    const [{ groups, searches }] = study(runs).sections;
    expect(searches).toEqual([
      {
        label: 'AuroRA r=2',
        seeds: [1],
        tried: [
          { learningRate: 1e-3, mean: 0.7, chosen: false },
          { learningRate: 2e-3, mean: 0.75, chosen: true },
        ],
      },
    ]);
    // The name does not contain the rate, because another rate may be chosen on another data set.
    expect(groups.map((g) => g.label)).toEqual(['LoRA r=2', 'AuroRA r=2, learning rate 1e-3', 'AuroRA r=2']);
  });

  it('takes the lowest loss if that is the metric', () => {
    const [search] = study(runs, { metric: 'loss' }).sections[0].searches;
    expect(search.tried.map((t) => t.chosen)).toEqual([false, true]);
  });

  it('is described with the number of rates tried and the set used', () => {
    const all = study(runs);
    const notes = sectionNotes(all.sections[0], all).join('\n');
    expect(notes).toContain(
      '(1 for LoRA r=2, 2 for AuroRA r=2), the one with the best mean over their common seeds was chosen',
    );
    expect(notes).toContain('Groups with more learning rates to choose from have an advantage');
  });
});

describe('comparisons', () => {
  const pair = (more: (seed: number, method: number) => Partial<StudyRun> = () => ({})) =>
    seeds.flatMap((seed, i) => [
      studyRun(lora(), seed, 0.63 + 0.002 * i, more(seed, 0)),
      studyRun(aurora(), seed, 0.636 + 0.004 * i, more(seed, 1)),
    ]);
  const only = (runs: readonly StudyRun[], options: StudyOptions = {}) => {
    const all = study(runs, options);
    return {
      c: all.sections[0].comparisons[0],
      words: comparisonWords(all.sections[0].comparisons[0], all),
      all,
    };
  };

  it('use the seeds in common and describe the test', () => {
    const { c, words } = only(pair());
    // Differences of 0.6, 0.8 and 1.0 points: mean 0.8, standard error 0.2/√3.
    expect(c).toMatchObject({ a: 'AuroRA r=2', b: 'LoRA r=2', kind: 'seeds', seeds });
    expect(c.mean).toBeCloseTo(0.008, 12);
    expect(c.half).toBeCloseTo((4.302653 * 0.002) / Math.sqrt(3), 8);
    expect(c.detectable).toBeCloseTo((5.653489 * 0.002) / Math.sqrt(3), 8);
    expect(words).toBe(
      'AuroRA r=2 is 0.8 points of accuracy above LoRA r=2 (95% interval +0.3 to +1.3). ' +
        'Paired test over 3 seeds (1, 2, 3) only, on the same validation examples: p = 0.020, so the choice of seeds alone is unlikely to explain it. ' +
        'With these 3 seeds, only a difference of 0.7 points of accuracy or more on these same examples is detected reliably (80% power at 5%, two-sided); on other examples it would have to be larger.',
    );
  });

  it('include the examples if the predictions of all runs are kept', () => {
    const kept = pair((seed, method) => ({ examples: outcomes(1000, 630 + 8 * method, 13 * seed) }));
    const { c, words } = only(kept);
    expect(c).toMatchObject({ kind: 'crossed', examples: 1000 });
    expect(c.mean).toBeCloseTo(0.008, 12);
    expect(words).toContain('Paired test over 3 seeds (1, 2, 3) and 1,000 validation examples: p');
    // If one run has no predictions, no run's predictions are used.
    expect(only([{ ...kept[0], examples: undefined }, ...kept.slice(1)]).c.kind).toBe('seeds');
    // F1 is not defined for a single example.
    expect(only(kept, { metric: 'f1' }).c.kind).toBe('seeds');
    // A different split for each seed leaves no examples in common.
    const split = kept.map((r) => ({
      ...r,
      spec: { ...r.spec, data: { ...r.spec.data, validation: undefined } },
    }));
    expect(only(split).c.kind).toBe('seeds');
  });

  it("use McNemar's exact test for one seed, or none without predictions", () => {
    const first = pair().slice(0, 2);
    expect(only(first).words).toBe(
      'AuroRA r=2 is 0.6 points of accuracy above LoRA r=2. With one seed and no per-example predictions, no test is possible.',
    );
    const right = (n: number) => ({
      data: 'sum',
      correct: Uint8Array.from({ length: 100 }, (_, i) => Number(i < n)),
      loss: new Float64Array(100),
    });
    const { c, words } = only([
      { ...first[0], examples: right(60) },
      { ...first[1], examples: right(66) },
    ]);
    // Six that only one gets right and none the other way: 2 · ½⁶.
    expect(c).toMatchObject({ kind: 'examples', chance: expect.closeTo(0.03125, 10) });
    expect(words).toContain('Paired test over 100 validation examples, with seed 1 only: p = 0.031');
  });

  it('without a seed in common are not tested', () => {
    const { c, words } = only([studyRun(lora(), 1, 0.6), studyRun(aurora(), 2, 0.65)]);
    expect([c.kind, c.chance]).toEqual(['none', undefined]);
    expect(words).toContain('They have no seed in common, so nothing was tested.');
  });

  it('are corrected for their number over all data sets', () => {
    const other = pair().map((r) => ({
      ...r,
      spec: { ...r.spec, data: { ...r.spec.data, validation: '/spam/dev.jsonl' } },
    }));
    const { c, all, words } = only([...pair(), ...other]);
    expect(all.tests).toBe(2);
    expect(c.corrected).toBeCloseTo(2 * c.chance!, 12);
    expect(words).toContain(
      'p = 0.020, 0.040 corrected for 2 comparisons, so the choice of seeds alone is unlikely to explain it',
    );
  });

  it('use the requested baseline and reverse with it', () => {
    const { c } = only(pair(), { against: 'AuroRA r=2' });
    expect([c.a, c.b]).toEqual(['LoRA r=2', 'AuroRA r=2']);
    expect(c.mean).toBeCloseTo(-0.008, 12);
  });

  it('call groups equal if their shown values are, with an interval from the examples', () => {
    const same = seeds.flatMap((seed) => [studyRun(lora(), seed, 0.6), studyRun(aurora(), seed, 0.6)]);
    expect(only(same).words).toMatch(
      /^AuroRA r=2 and LoRA r=2 are equal to the displayed precision \(95% interval −0\.2 to \+0\.2\).*p = 1\.00, so it may be chance\./,
    );
  });

  it('are not tested if a loss differs by the same amount in each pair', () => {
    const metrics = (loss: number) => ({ metrics: { ...studyRun(lora(), 1, 0.6).metrics, loss } });
    const copies = seeds.flatMap((seed) => [
      studyRun(lora(), seed, 0.6, metrics(0.5)),
      studyRun(aurora(), seed, 0.6, metrics(0.25)),
    ]);
    expect(only(copies, { metric: 'loss' }).words).toBe(
      'The loss of AuroRA r=2 is 50.0% lower than that of LoRA r=2. The difference is the same in every pair, so a paired test is not possible.',
    );
  });
});

it('missing data is listed with its runs', () => {
  const runs = [
    studyRun({ method: 'none' }, 1, 0.6, {
      forms: { trained: spare, fitted: spare, paper: spare, same: true },
    }),
    studyRun(aurora(), 1, 0.6),
  ];
  const found = study(runs).missing;
  expect(found.map((m) => [m.what, m.runs.length])).toEqual([
    ['merged', 1],
    ['nonlinearity', 1],
    ['examples', 2],
    ['geometry', 1],
  ]);
});

it.each([
  ['merged', 'For 1 run, the merged forms', 'For 1,200 of the runs, the merged forms'],
  ['nonlinearity', 'For 1 run, the share of the gain', 'For 1,200 of the runs, the share of the gain'],
  ['examples', 'so this run cannot be tested', 'so these runs cannot be tested'],
  ['geometry', 'For 1 run, the principal', 'For 1,200 of the runs, the principal'],
] as const)('missing data (%s) is put in words for one run and for several', (what, one, several) => {
  expect(missingWords({ what, runs: ['a'] })).toContain(one);
  expect(missingWords({ what, runs: Array<string>(1200).fill('a') })).toContain(several);
});

const spare = { loss: 1, accuracy: 0.5, f1: 0.5, matthews: 0, examples: 10 };

describe('a study of numbers', () => {
  const runs = seeds.flatMap((seed, i) =>
    [lora(), aurora()].map((adapter, method) => {
      const metrics = {
        loss: 0.3,
        pearson: 0.9 + 0.002 * (i + method),
        spearman: 0.88,
        rmse: 0.5 - 0.01 * (i * method + method),
        examples: 1500,
      };
      return studyRun(adapter, seed, 0, { metrics, training: { metric: 'pearson' } });
    }),
  );

  it('compares correlations in points and errors in percent, of which lower ones are better', () => {
    const words = (metric: 'pearson' | 'rmse') => {
      const all = study(runs, { metric });
      return comparisonWords(all.sections[0].comparisons[0], all);
    };
    expect(study(runs).metric).toBe('pearson');
    expect(words('pearson')).toMatch(/^AuroRA r=2 is 0\.2 points of Pearson × 100 above LoRA r=2/);
    expect(words('rmse')).toMatch(/^The RMSE of AuroRA r=2 is 4\.0% lower than that of LoRA r=2/);
    expect(metricTitle('rmse')).toBe('RMSE');
    expect(study(runs).sections[0].samplingError).toBeUndefined();
  });

  it('draws figures whose axes stay within the possible values', () => {
    for (const metric of ['pearson', 'rmse'] as const)
      for (const name of FIGURES) {
        const [section] = study(runs, { metric }).sections;
        const figure = figureOf(name, section, metric, 600);
        if (figure) expect(JSON.stringify(figure)).not.toMatch(/NaN|null|Infinity/);
      }
  });

  it('takes no step of one example for values that can be any', () => {
    const stepped = METRICS.filter((m) => resolutionOf(m, 500) > 0);
    expect(stepped).toEqual([
      ...['accuracy', 'f1', 'microF1', 'macroF1', 'weightedF1', 'top5Accuracy', 'matthews'],
      ...['entityF1', 'entityPrecision', 'entityRecall', 'exactMatch', 'lastNumber'],
    ]);
    expect(resolutionOf('accuracy', 500)).toBe(1 / 500);
    // Equal differences of a correlation are not tested: nothing says how exact they are.
    const equal = runs.map((run) => ({
      ...run,
      metrics: { ...run.metrics, pearson: run.spec.adapter.method === 'lora' ? 0.875 : 0.9375 },
    }));
    expect(study(equal).sections[0].comparisons[0].chance).toBeUndefined();
  });
});
