import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { draftName, freeName, likelyOutput, nameProblem } from '../../../../src/extension/wizard/draft';
import { defaultAdapter, draftText, type Draft } from '../../../../src/recipes/draft';
import { countOf, fittingAdapter } from '../../../../src/adapters/budget/budget-comparison';
import { HEAD_ALONE, LAYER_METHODS, type TrainedSpec } from '../../../../src/experiment/methods';
import { ROBERTA_BASE } from '../../../../src/recipes/model-shapes';
import { likelyTargets } from '../../../../src/adapters/targets/select';
import { recipeAdapter } from '../../../../src/recipes/draft-recipe';
import { recipeText } from '../../../../src/extension/wizard/recipe-text';
import { PAPER_RECIPES } from '../../../../src/recipes/paper-recipes';
import { loadModel } from '../../../../src/graph/file/load';
import { summarize, type ModelSummary } from '../../../../src/graph/summary';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { DEFAULT_TASK, TASKS } from '../../../../src/experiment/tasks/registry';
import { FIXTURE, makeFolder } from './lab';

const fixture = (name: string): ModelSummary =>
  summarize(loadModel(FIXTURE.replace('bert.onnx', `${name}.onnx`)));

function draft(folder: string, more: Partial<Draft> = {}): Draft {
  return {
    model: join(folder, 'models', 'm.onnx'),
    train: join(folder, 'data', 'train "1".csv'),
    validation: 0.2,
    task: DEFAULT_TASK,
    columns: { text: 'a "quoted" name', label: 'label' },
    adapter: { ...defaultAdapter('aurora'), targetModules: ['query', 'value'] } as Draft['adapter'],
    ...more,
  };
}

describe('a new experiment', () => {
  it('on pictures names the folders and prompts, draws during training, and can be loaded by the trainer', () => {
    const folder = makeFolder({ 'sd/model_index.json': '{}', 'sd/unet/config.json': '{}' });
    const file = join(folder, 'x.aurora.json');
    const pictures = (subject: Draft['subject']) =>
      draft(folder, {
        model: join(folder, 'sd'),
        train: join(folder, 'dog'),
        validation: 0,
        task: 'subject-generation',
        columns: {},
        adapter: { ...defaultAdapter('aurora'), targetModules: ['to_q', 'to_out.0'] } as Draft['adapter'],
        ...(subject && { subject }),
      });
    const classImages = { path: join(folder, 'dogs'), prompt: 'a photo of a dog' };
    writeFileSync(file, draftText(file, pictures({ prompt: 'a photo of sks dog', classImages })));
    expect(loadExperiment(file)).toMatchObject({
      model: { path: join(folder, 'sd', 'model_index.json') },
      task: { instancePrompt: 'a photo of sks dog', classPrompt: 'a photo of a dog' },
      data: { train: join(folder, 'dog'), classImages: join(folder, 'dogs'), validationFraction: 0 },
      training: { batchSize: 1, pictures: { prompts: ['a photo of sks dog'], every: 100 } },
    });
    // With captions.
    const text = draftText(file, pictures({}));
    expect(text).not.toContain('Prompt');
    expect(text).not.toContain('maxLength');
    writeFileSync(file, text);
    expect(loadExperiment(file).task.instancePrompt).toBeUndefined();
  });

  it.each([...LAYER_METHODS, HEAD_ALONE.method])('with %s can be loaded by the trainer', (method) => {
    const folder = makeFolder({});
    const file = join(folder, 'sub', 'x.aurora.json');
    const adapter = defaultAdapter(method);
    const made = draft(folder, {
      adapter,
      output: 'hidden',
      tokenizer: join(folder, 'tok', 'tokenizer.json'),
      validation: join(folder, 'data', 'v.csv'),
      test: join(folder, 'data', 'test.csv'),
    });
    const text = draftText(file, made);
    expect(text).toContain('"path": "../models/m.onnx"');
    const plain = join(folder, 'x.aurora.json');
    writeFileSync(plain, draftText(plain, made));
    const read = loadExperiment(plain);
    expect(read).toMatchObject({
      model: { path: made.model, tokenizer: made.tokenizer, output: 'hidden' },
      data: {
        train: made.train,
        validation: made.validation,
        test: made.test,
        textColumn: 'a "quoted" name',
      },
      task: { head: 'linear' },
    });
    expect(read.adapter).toEqual(adapter);
  });

  it.each(LAYER_METHODS)(
    'with %s has a size that the layers of an ONNX file and of RoBERTa allow',
    (method) => {
      const folder = makeFolder({ 'models/roberta/config.json': '{}' });
      const file = join(folder, 'x.aurora.json');
      const usual = { ...defaultAdapter(method), targetModules: ['query', 'value'] } as TrainedSpec;
      const models = [
        { model: join(folder, 'models', 'm.onnx'), modules: fixture('bert').layers },
        { model: join(folder, 'models', 'roberta'), modules: ROBERTA_BASE.modules },
      ];
      for (const { model, modules } of models) {
        const adapter = fittingAdapter(modules, usual);
        writeFileSync(file, draftText(file, draft(folder, { model, adapter })));
        const read = loadExperiment(file).adapter;
        expect(read).toEqual(adapter);
        expect(countOf(modules, read)).toBeGreaterThan(0);
        if (modules === ROBERTA_BASE.modules) expect(adapter).toEqual(usual);
      }
    },
  );

  it('does not name the tokenizer beside the model or a validation file if it holds out a fraction', () => {
    const folder = makeFolder({});
    const file = join(folder, 'x.aurora.json');
    writeFileSync(file, draftText(file, draft(folder)));
    expect(readFileSync(file, 'utf8')).not.toMatch(/"tokenizer"|"validation"|"output"/);
    expect(loadExperiment(file).data).toMatchObject({ validationFraction: 0.2 });
  });

  it.each(PAPER_RECIPES)(
    'with the settings of $id can be loaded by the trainer, for each method',
    (recipe) => {
      const folder = makeFolder({});
      const file = join(folder, 'x.aurora.json');
      const { layers } = fixture('bert');
      for (const method of ['aurora', 'lora', 'none'] as const) {
        const adapter = recipeAdapter(defaultAdapter(method), recipe, layers);
        writeFileSync(file, draftText(file, draft(folder, { adapter, recipe })));
        const read = loadExperiment(file);
        const { maxLength, dropout, ...training } = recipe.settings;
        expect(read.training).toMatchObject(training);
        if (maxLength !== undefined) expect(read.model.maxLength).toBe(maxLength);
        if (method !== 'none') {
          expect(read.adapter).toMatchObject({ targetModules: ['query', 'value'] });
          if (dropout !== undefined) expect(read.adapter).toMatchObject({ dropout });
        }
        const text = readFileSync(file, 'utf8');
        expect(text).toContain('arXiv 2505.18738');
        for (const words of recipe.unsaid) expect(text.replace(/\n\/\/ /g, ' ')).toContain(words);
        expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(92);
      }
    },
  );

  it('has the rank, alpha, layers, metric and comments of a recipe', () => {
    const folder = makeFolder({});
    const file = join(folder, 'x.aurora.json');
    const of = (id: string) => PAPER_RECIPES.find((r) => r.id === id)!;
    const made = (id: string, method: 'aurora' | 'lora', model = 'bert') => {
      const adapter = recipeAdapter(defaultAdapter(method), of(id), fixture(model).layers);
      const text = draftText(file, draft(folder, { adapter, recipe: of(id) }));
      writeFileSync(file, text);
      return { ...loadExperiment(file), text };
    };
    const cola = made('roberta-base/cola', 'aurora');
    expect(cola.adapter).toMatchObject({ rank: 2, alpha: 4 });
    expect(cola.training.metric).toBe('matthews');
    expect(cola.text).toContain('Published: Matthews correlation 65.1 with AuroRA, 63.4 with LoRA, 63.6');
    expect(cola.text).toContain('"learningRate": 5e-3');
    expect(made('vit-large/dtd', 'lora').adapter).toMatchObject({ rank: 16, alpha: 32 });
    // Settings that the paper does not give have the defaults and a comment.
    expect(made('vit-large/dtd', 'aurora').text).toMatch(/the paper gives no value.\n +"batchSize": 32/);
    expect(made('roberta-base/sts-b', 'aurora')).toMatchObject({
      text: expect.stringContaining('measures Pearson correlation') as string,
      training: { metric: 'accuracy' },
    });
    expect(made('llama3-8b/commonsense170k', 'aurora', 'llama').adapter).toMatchObject({
      targetModules: ['q_proj', 'k_proj', 'v_proj', 'up_proj', 'down_proj'],
      dropout: 0.05,
    });
  });

  it('has the chosen batch size and longest text, and says where they are not the paper’s', () => {
    const folder = makeFolder({});
    const file = join(folder, 'x.aurora.json');
    const of = (id: string) => PAPER_RECIPES.find((r) => r.id === id)!;
    const made = (more: Partial<Draft>) => {
      const text = draftText(file, draft(folder, more));
      writeFileSync(file, text);
      const { model, training } = loadExperiment(file);
      return { text, sizes: [training.batchSize, model.maxLength] };
    };
    const chosen = { batchSize: 8, maxLength: 256 };
    expect(made({}).sizes).toEqual([32, 128]);
    expect(made({ positions: 24 }).sizes).toEqual([32, 24]);
    expect(made(chosen)).toMatchObject({
      sizes: [8, 256],
      text: expect.not.stringMatching('paper’s is') as string,
    });
    const cola = made({ ...chosen, recipe: of('roberta-base/cola') });
    expect(cola.sizes).toEqual([8, 256]);
    expect(cola.text).toMatch(/\/\/ Your choice; the paper’s is 512\.\n +"maxLength": 256/);
    expect(cola.text).toMatch(/\/\/ Your choice; the paper’s is 32\.\n +"batchSize": 8/);
    const dtd = made({ ...chosen, recipe: of('vit-large/dtd') });
    expect(dtd.text).toMatch(/\/\/ Your choice: the paper gives no value\.\n +"batchSize": 8/);
  });

  it('describes each recipe', () => {
    const words = (id: string) => recipeText(PAPER_RECIPES.find((r) => r.id === id)!);
    expect(words('roberta-base/rte')).toMatchObject({
      label: 'RTE with RoBERTa-Base',
      description: 'rank 2 · 80 epochs · batch 16 · learning rate 5e-4',
    });
    expect(words('roberta-base/rte').detail).toMatch(
      /^arXiv 2505.18738 · published 85.2 · not specified: weight decay/,
    );
    expect(words('llama3-8b/commonsense170k').detail).toContain('tested on BoolQ, PIQA');
    expect(words('llama3-8b/commonsense170k').detail).toContain('published average 83.6');
    expect(words('sdxl/dreambooth').description).toBe('rank 2');
  });

  it.each([
    [
      'text-classification',
      { text: 'a', pair: 'b', label: 'c' },
      { textPairColumn: 'b', labelColumn: 'c' },
      'accuracy',
    ],
    [
      'text-regression',
      { text: 'a', pair: 'b', label: 'c' },
      { textPairColumn: 'b', labelColumn: 'c' },
      'pearson',
    ],
    [
      'multi-label-classification',
      { text: 'a', labels: ['b', 'c'] },
      { labelColumns: ['b', 'c'] },
      'microF1',
    ],
    ['multi-label-classification', { text: 'a', label: 'c' }, { labelColumn: 'c' }, 'microF1'],
    ['token-classification', { text: 'a', label: 'c' }, { labelColumn: 'c' }, 'entityF1'],
    ['causal-language-modeling', { text: 'a', completion: 'b' }, { completionColumn: 'b' }, 'perplexity'],
    ['causal-language-modeling', { messages: 'm' }, { messagesColumn: 'm' }, 'perplexity'],
  ] as const)(
    'of the kind %s with the columns %o can be loaded by the trainer',
    (task, columns, data, metric) => {
      const folder = makeFolder({});
      const file = join(folder, 'x.aurora.json');
      const made = draft(folder, { task, columns: columns as Draft['columns'] });
      const text = draftText(file, made);
      writeFileSync(file, text);
      const read = loadExperiment(file);
      expect(read.task.type).toBe(task);
      expect(read.data).toMatchObject({ ...('text' in columns && { textColumn: 'a' }), ...data });
      const written = JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')) as { data: object };
      expect(Object.keys(written.data)).toHaveLength(2 + Object.keys(columns).length);
      // The metric of a recipe is kept where the kind of task has it.
      const of = (id: string) => PAPER_RECIPES.find((r) => r.id === id)!;
      for (const id of ['roberta-base/sts-b', 'roberta-base/cola', 'roberta-base/rte']) {
        writeFileSync(file, draftText(file, { ...made, recipe: of(id) }));
        const own = of(id).dataSets[0].metric;
        const { metrics } = TASKS[task];
        const kept = (metrics as readonly string[]).includes(own);
        expect(loadExperiment(file).training.metric).toBe(kept ? own : metric);
        expect(readFileSync(file, 'utf8').includes('// The paper measures')).toBe(!kept);
      }
    },
  );

  it('gets an unused name', async () => {
    const folder = makeFolder({ 'a.aurora.json': '', 'a-2.aurora.json': '' });
    expect(await freeName(folder, 'a')).toBe('a-3.aurora.json');
    expect(await freeName(folder, 'b')).toBe('b.aurora.json');
    const adapter = defaultAdapter('lora');
    expect(draftName({ train: '/x/sst2-train.jsonl.gz', adapter })).toBe('sst2-lora');
    expect(draftName({ train: '/x/my data/train.csv', adapter: { method: 'none' } })).toBe('my-data-head');
    expect(nameProblem('a.aurora.json')).toBeUndefined();
    expect(['a.json', '.aurora.json', 'a/b.aurora.json'].map(nameProblem)).toEqual([
      'ending',
      'empty',
      'slash',
    ]);
  });
});

describe('the suggested choice', () => {
  it.each([
    ['bert', ['query', 'value']],
    ['llama', ['q_proj', 'v_proj']],
    ['more/gpt2', ['c_attn']],
    ['more/neox', ['query_key_value']],
  ])('of target modules in %s', (name, targets) => {
    expect(likelyTargets(fixture(name).layers)).toEqual(targets);
  });

  it('of an output is one with hidden states for a new head, and otherwise one with logits', () => {
    const base = fixture('bert');
    const output = (name: string, axes: number) => ({
      name,
      type: 'float',
      shape: new Array<number>(axes).fill(1),
    });
    const of = (...outputs: ModelSummary['outputs']) => likelyOutput({ ...base, outputs }, true);
    const own = (...outputs: ModelSummary['outputs']) => likelyOutput({ ...base, outputs }, false);
    expect(own(output('last_hidden_state', 3), output('logits', 3))).toBe('logits');
    expect(of(output('pooled', 2), output('last_hidden_state', 3))).toBe('last_hidden_state');
    expect(of(output('pooled', 2), output('x', 3))).toBe('x');
    expect(of(output('pooled', 2), output('other', 2))).toBe('pooled');
  });

  it("of a method's settings comes from the schema", () => {
    expect(defaultAdapter('aurora')).toMatchObject({ method: 'aurora', rank: 2, alpha: 4, gridSize: 5 });
    expect(defaultAdapter('lora')).toMatchObject({ method: 'lora', rank: 8, alpha: 16 });
    expect(defaultAdapter('none')).toEqual({ method: 'none' });
  });
});

it('a new experiment reads no longer texts than the model has positions for', () => {
  const length = (more: Partial<Draft>) =>
    /"maxLength": (\d+)/.exec(draftText('/w/x.aurora.json', draft('/w', more)))?.[1];
  expect(length({})).toBe('128');
  expect(length({ positions: 512 })).toBe('128');
  expect(length({ positions: 24 })).toBe('24');
  const recipe = PAPER_RECIPES.find((r) => (r.settings.maxLength ?? 0) > 24);
  expect(length({ positions: 24, recipe })).toBe('24');
});
