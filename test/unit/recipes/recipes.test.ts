import { describe, expect, it } from 'vitest';
import { COMMONSENSE, GLUE, IMAGES } from '../../../src/recipes/paper-data';
import { PAPER_MODELS } from '../../../src/recipes/model-shapes';
import { PAPER_RECIPES } from '../../../src/recipes/paper-recipes';
import { paperReport, publishedScores, PUBLISHED } from '../../../src/recipes/paper-report';
import schema from '../../../src/experiment/experiment.schema.json';

const DATA_SETS = [...GLUE, ...COMMONSENSE, ...IMAGES];
const recipe = (id: string) => PAPER_RECIPES.find((r) => r.id === id)!;

describe("the paper's data sets and settings", () => {
  it('contain 22 data sets, each with the models of its kind', () => {
    expect(DATA_SETS.length).toBe(22);
    expect(new Set(DATA_SETS.map((d) => d.id)).size).toBe(22);
    const models = (id: string) =>
      PAPER_RECIPES.filter((r) => r.dataSets.some((d) => d.id === id)).map((r) => r.model);
    for (const { id } of DATA_SETS)
      expect([['roberta-base', 'roberta-large'], ['vit-base', 'vit-large'], ['llama3-8b']]).toContainEqual(
        models(id),
      );
    expect(models('rte')).toEqual(['roberta-base', 'roberta-large']);
    expect(models('dtd')).toEqual(['vit-base', 'vit-large']);
    expect(models('obqa')).toEqual(['llama3-8b']);
  });

  it('cover every model and have unique recipe ids', () => {
    expect(new Set(PAPER_RECIPES.map((r) => r.model))).toEqual(new Set(PAPER_MODELS.map((m) => m.id)));
    expect(new Set(PAPER_RECIPES.map((r) => r.id)).size).toBe(PAPER_RECIPES.length);
  });

  it.each([
    ['roberta-base/rte', { epochs: 80, learningRate: 5e-4, batchSize: 16, maxLength: 512 }],
    ['roberta-base/cola', { epochs: 90, learningRate: 5e-3, batchSize: 32, maxLength: 512 }],
    ['roberta-large/sst-2', { epochs: 40, learningRate: 8e-4, batchSize: 16, maxLength: 128 }],
    ['roberta-large/mrpc', { epochs: 30, learningRate: 1e-3, batchSize: 16, maxLength: 512 }],
    ['vit-base/cifar-10', { epochs: 10, learningRate: 1e-2, headLearningRate: 3e-2, weightDecay: 9e-5 }],
    ['vit-large/resisc45', { learningRate: 7.5e-3, headLearningRate: 1.5e-2, weightDecay: 3e-4 }],
    ['llama3-8b/commonsense170k', { epochs: 3, batchSize: 16, learningRate: 3e-4, warmupSteps: 100 }],
  ])('match the paper for %s', (id, settings) => {
    expect(recipe(id).settings).toMatchObject(settings);
  });

  it('list what the paper does not state, and nothing that a recipe sets', () => {
    for (const { settings, unsaid } of PAPER_RECIPES) {
      expect(unsaid).toContain('seeds');
      const said = { 'batch size': settings.batchSize, 'weight decay': settings.weightDecay };
      for (const [words, value] of Object.entries(said))
        expect(value === undefined, words).toBe(
          unsaid.includes(words) || unsaid[0].startsWith('every hyperparameter'),
        );
    }
    expect(recipe('vit-base/dtd').unsaid).toContain('batch size');
    expect(recipe('sdxl/dreambooth').settings).toEqual({});
  });

  it('contain only settings that an experiment can have', () => {
    const { training } = schema.properties;
    const known = [...Object.keys(training.properties), 'maxLength', 'dropout'];
    for (const { settings } of PAPER_RECIPES)
      expect(known).toEqual(expect.arrayContaining(Object.keys(settings)));
  });
});

describe('the published results', () => {
  it('have the averages that the paper prints, which would expose a typo', () => {
    for (const [model, results] of Object.entries(PUBLISHED)) {
      const { methods, rows } = results!;
      methods.forEach(({ method, average }, i) => {
        const mean = rows.reduce((sum, { values }) => sum + values[i], 0) / rows.length;
        expect(Math.abs(mean - average), `${model}, ${method}`).toBeLessThanOrEqual(0.0501);
      });
    }
  });

  it('cover exactly the data sets that the model is trained on', () => {
    for (const [model, results] of Object.entries(PUBLISHED)) {
      const trained = PAPER_RECIPES.filter((r) => r.model === model).flatMap((r) => r.dataSets);
      expect(results!.rows.map((r) => r.dataSet)).toEqual(trained);
    }
  });

  it('include AuroRA, LoRA and full fine-tuning, by data set or on average', () => {
    const score = (id: string) =>
      (['aurora', 'lora', 'full'] as const).map((m) => publishedScores(recipe(id))[m]);
    expect(score('roberta-base/rte')).toEqual(['85.2', '78.4', '78.7']);
    expect(score('vit-large/cifar-100')).toEqual(['93.3', '94.9', '93.6']);
    expect(score('llama3-8b/commonsense170k')).toEqual(['83.6', '80.8', undefined]);
    expect(score('sdxl/dreambooth')).toEqual([undefined, undefined, undefined]);
  });

  it('have a source and a note on the baselines', () => {
    for (const { id } of PAPER_MODELS) {
      const report = paperReport(id);
      expect(report.source).toBe('arXiv 2505.18738');
      expect(report.adapter).toEqual({ rank: 2, alpha: 4, gridSize: 5, splineOrder: 3 });
      expect(report.notes.join(' ').includes('quoted from earlier papers')).toBe(id !== 'sdxl');
      const widths = report.variants.flatMap((v) => v.rows.map((r) => r.values.length - v.columns.length));
      expect(widths.every((w) => w === 0)).toBe(true);
    }
  });
});
