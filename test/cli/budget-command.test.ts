import { LAYER_METHODS } from '../../src/experiment/methods';
import { afterAll, describe, expect, it } from 'vitest';
import { PAPER_MODELS } from '../../src/recipes/model-shapes';
import { Lab } from './lab';

const lab = new Lab({ adapter: { rank: 3, rankPattern: { 'layer.1.query': 5 } } });
afterAll(() => lab.remove());

interface Counted {
  method: string;
  rank: number;
  trainable: number;
  moduleCount: number;
  modules: { path: string; inFeatures: number; outFeatures: number; rank: number; parameters: number }[];
  lora: { rank: number; trainable: number };
  ratioToLora: number;
  warnings: string[];
}

function counted(...args: string[]): Counted {
  const { code, out, err } = lab.run('budget', ...args, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as Counted;
}

const refused = (...args: string[]) => {
  const { code, out, err } = lab.run('budget', ...args);
  expect(out).toBe('');
  return [code, err] as const;
};

describe('aurora budget --recipe', () => {
  it.each([
    ['roberta-base', 24, 74_208, 8, 294_912],
    ['roberta-large', 48, 197_568, 8, 786_432],
    ['vit-base', 24, 74_208, 16, 589_824],
    ['vit-large', 48, 197_568, 16, 1_572_864],
    ['llama3-8b', 160, 3_542_144, 32, 56_623_104],
  ])('matches the paper to the last parameter for %s', (recipe, moduleCount, trainable, rank, lora) => {
    const c = counted('--recipe', recipe);
    expect(c).toMatchObject({ method: 'aurora', rank: 2, trainable, moduleCount, warnings: [] });
    expect(c.lora).toEqual({ rank, trainable: lora });
    expect(c.ratioToLora).toBe(trainable / lora);
    expect(c.modules.length).toBe(moduleCount);
    expect(c.modules.reduce((sum, m) => sum + m.parameters, 0)).toBe(trainable);
    expect(Object.keys(c.modules[0])).toEqual(['path', 'inFeatures', 'outFeatures', 'rank', 'parameters']);
    const itself = counted('--recipe', recipe, '--method', 'lora');
    expect(itself).toMatchObject({ method: 'lora', rank, trainable: lora, ratioToLora: 1 });
  });

  it('counts every method at any rank', () => {
    for (const method of LAYER_METHODS)
      expect(counted('--recipe', 'vit-base', '--method', method).trainable).toBeGreaterThan(0);
    expect(counted('--recipe', 'roberta-base', '--rank', '4')).toMatchObject({ rank: 4, trainable: 148_608 });
    expect(counted('--recipe', 'vit-base', '--lora-rank', '8').ratioToLora).toBe(74_208 / 294_912);
  });

  it("prints the count, the paper's results and what the paper leaves out", () => {
    const { code, out, err } = lab.run('budget', '--recipe', 'roberta-base');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('RoBERTa-Base: AuroRA of rank 2 on 24 of 72 linear layers');
    expect(out).toMatch(/trainable parameters +74,208 +0\.0598% of the model's 124,055,040\n/);
    expect(out).toMatch(/LoRA r=8 +294,912 +the adapter has 25\.2% of that\n/);
    expect(out).toMatch(/self\.query +768 × 768 +rank 2 +12 × 3,092 +37,104\n/);
    expect(out).toContain('Published (arXiv 2505.18738)');
    expect(out).toMatch(/CoLA +Matthews correlation +63\.6 +63\.4 +65\.1\n/);
    expect(out).toMatch(/RTE +80 +16 +5e-4 +512/);
    expect(out).toContain('The paper does not say: weight decay');
    expect(out).toContain('quoted from earlier papers');
    expect(lab.run('budget', '--recipe', 'vit-base').out).toContain('without L, the spline');
    expect(lab.run('budget', '--recipe', 'sdxl').out).toContain('every hyperparameter except rank and alpha');
  });
});

describe('aurora budget FILE', () => {
  it("counts the experiment's adapter", () => {
    const c = counted(lab.experiment);
    expect(c.modules.map((m) => [m.path, m.rank])).toEqual([
      ['layer.0.query', 3],
      ['layer.0.value', 3],
      ['layer.1.query', 5],
      ['layer.1.value', 3],
    ]);
    // r(32 + 32) + r² + 8r
    expect(c.modules.map((m) => m.parameters)).toEqual([225, 225, 385, 225]);
    expect(c).toMatchObject({ trainable: 1060, moduleCount: 4, lora: { rank: 8, trainable: 2048 } });
  });

  it('counts a different method, rank or targets on the same model', () => {
    expect(counted(lab.experiment, '--method', 'lora')).toMatchObject({ rank: 8, trainable: 2048 });
    expect(counted(lab.experiment, '--targets', 'inter', '--rank', '1').modules.map((m) => m.path)).toEqual([
      'layer.0.inter',
      'layer.1.inter',
    ]);
  });

  it('counts what the paper would adapt if given only a model', () => {
    const c = counted(lab.path('model.onnx'));
    expect(c).toMatchObject({ method: 'aurora', rank: 2, moduleCount: 4, trainable: 592 });
    const text = lab.run('budget', lab.path('model.onnx')).out;
    expect(text).toMatch(/layer\.\*\.query +32 × 32 +rank 2 +2 × 148 +296\n/);
    expect(text).not.toContain('arXiv');
  });

  it('requires a method if the experiment trains no adapter', () => {
    const data = { train: 'train.jsonl' };
    const experiment = { model: { path: 'model.onnx' }, data, adapter: { method: 'none' } };
    lab.write('none.aurora.json', JSON.stringify(experiment));
    const file = lab.path('none.aurora.json');
    expect(refused(file)).toEqual([2, expect.stringContaining('trains no adapter')]);
    expect(counted(file, '--method', 'aurora')).toMatchObject({ trainable: 592, moduleCount: 4 });
  });
});

describe('what cannot be counted is reported', () => {
  it.each([
    [['--recipe', 'roberta-bass'], 2, 'Did you mean "roberta-base"?'],
    [['--recipe', 'gpt'], 2, PAPER_MODELS.map((m) => m.id).join(', ')],
    [['--recipe', 'vit-base', '--method', 'aurra'], 2, 'Did you mean "aurora"?'],
    [['--recipe', 'vit-base', 'x.onnx'], 2, 'got both: x.onnx and vit-base'],
    [[], 2, 'aurora budget needs one experiment, model or --recipe.'],
    [['a.onnx', 'b.onnx'], 2, 'takes one experiment, model or --recipe, not 2.'],
    [['notes.txt'], 2, 'notes.txt is neither an experiment nor a model'],
    [['--recipe', 'vit-base', '--rank', '769'], 11, 'allows at most 768'],
    [['--recipe', 'vit-base', '--rank', '0'], 2, '--rank takes a whole number of at least 1'],
    [['--recipe', 'vit-base', '--rank', '2.5'], 2, '--rank takes a whole number, not "2.5"'],
    [['--recipe', 'vit-base', '--lora-rank', '1000'], 11, "LoRA's rank 1000 is too large"],
    [['--recipe', 'vit-base', '--targets', 'qeury'], 10, 'Nearest: '],
    [['--recipe', 'vit-base', '--targets', ','], 2, '--targets does not name a module'],
    [['gone.aurora.json'], 3, 'There is no experiment file gone.aurora.json'],
    [['gone.onnx'], 4, 'gone.onnx'],
  ] as const)('for %j', (args, code, words) => {
    const [left, err] = refused(...args);
    expect(err).toContain(words);
    expect(left).toBe(code);
  });
});
