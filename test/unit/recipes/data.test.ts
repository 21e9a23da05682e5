import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { showText, listText } from '../../../src/cli/commands/recipe/show';
import { knownData, knownImages } from '../../../src/recipes/data/hub-sets';
import { findFiles } from '../../../src/recipes/data/files';
import type { DataRecipe } from '../../../src/recipes/data/data-kind';
import {
  DATA_RECIPES,
  dataRecipe,
  modelsFor,
  settingsOf,
  sizeOf,
  sizesOf,
} from '../../../src/recipes/data/data-set-registry';
import { PAPER_MODELS } from '../../../src/recipes/model-shapes';
import { defaultAdapter, draftText } from '../../../src/recipes/draft';
import { questionsOf, unaskable, type Choices } from '../../../src/recipes/draft-recipe';
import { parseExperiment } from '../../../src/runs/experiment/load';

const all = DATA_RECIPES.flatMap((recipe) =>
  sizesOf(recipe).map((size) => ({ recipe, size, id: recipe.id })),
);
const accepted = (recipe: DataRecipe, size: (typeof all)[number]['size']): Choices =>
  new Map(
    questionsOf(settingsOf(recipe, size)).map(({ key, fallback }) => [
      key,
      { value: fallback, by: 'default' as const },
    ]),
  );

describe("the recipes of the paper's data sets", () => {
  it('are found by their names and those of the hub, and similar ones are suggested', () => {
    expect(dataRecipe('glue/rte').name).toBe('RTE');
    expect(dataRecipe('GLUE/SST2').id).toBe('glue/sst-2');
    expect(dataRecipe('glue/stsb').id).toBe('glue/sts-b');
    expect(() => dataRecipe('glue/rta')).toThrow('There is no recipe "glue/rta"');
  });

  it.each(all)('ask for whatever the paper does not state: $id, $size', ({ recipe, size }) => {
    const settings = settingsOf(recipe, size);
    const asked = questionsOf(settings);
    expect(new Set([...asked.map((q) => q.words), ...unaskable(settings)])).toEqual(new Set(settings.unsaid));
    expect(unaskable(settings)).toEqual(['the spline’s initial weights']);
    for (const { key, fallback } of asked) expect(fallback, key).toBeDefined();
  });

  it.each(all)('make an experiment that can be read, for each layout: $id, $size', ({ recipe, size }) => {
    const file = join('/x', 'y.aurora.json');
    const settings = settingsOf(recipe, size);
    for (const layout of recipe.layouts) {
      const train = join('/x/d', layout.train[0]).replace(/\/$/, '');
      const text = draftText(file, {
        model: '/x/m.onnx',
        train,
        validation: 0.1,
        task: recipe.task.value,
        columns: layout.columns,
        adapter: defaultAdapter('aurora'),
        recipe: settings,
        ...(recipe.pooling && { pooling: recipe.pooling.value }),
        read: layout.read,
        own: { choices: accepted(recipe, size), columns: `Columns: ${layout.source}.` },
      });
      const read = parseExperiment(file, text, []);
      const { maxLength, ...training } = settings.settings;
      delete training.dropout;
      expect(text).not.toMatch(/,\s*}/);
      expect(read.training).toMatchObject(training);
      if (maxLength !== undefined) expect(read.model.maxLength).toBe(maxLength);
      expect(read.data).toMatchObject({ train, ...layout.read });
      // Each question is answered in the file, and every other line says where its value is from.
      for (const { key } of questionsOf(settings)) expect(text).toContain(`"${key.split('.')[1]}":`);
      expect(text).toContain('A default: the paper gives no value.');
      expect(text).not.toContain('model and data are your own');
      const lines = text.split('\n').filter((line) => !line.includes('"promptTemplate"'));
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(92);
    }
  });

  it('mark what the reader chose, apart from the defaults', () => {
    const recipe = dataRecipe('glue/rte');
    const choices = new Map([
      ...accepted(recipe, 'base'),
      ['training.seed', { value: 7, by: 'user' as const }],
    ]);
    const text = draftText('/x/y.aurora.json', {
      model: '/x/m.onnx',
      train: '/x/train.tsv',
      validation: '/x/dev.tsv',
      task: recipe.task.value,
      columns: recipe.layouts[0].columns,
      adapter: defaultAdapter('aurora'),
      recipe: settingsOf(recipe, 'base'),
      own: { choices, columns: '' },
    });
    expect(text).toMatch(/Your choice: the paper gives no value\.\n +"seed": 7\n/);
    expect(text).toMatch(/A default: the paper gives no value\.\n +"headLearningRate": 5e-4,\n/);
  });

  it('name a source for every fact, or say that it is not stated', () => {
    for (const recipe of DATA_RECIPES) {
      const text = showText(recipe);
      expect(text).toContain('arXiv 2505.18738');
      expect(text).toContain('not stated');
      const sourced = [recipe.task, recipe.labels, recipe.pooling, recipe.split, ...recipe.layouts];
      for (const fact of sourced) if (fact) expect(fact.source.length).toBeGreaterThan(8);
      expect(listText()).toContain(recipe.id);
    }
    expect(showText(dataRecipe('glue/rte'))).toMatch(/learningRate +5e-4 +4e-4/);
    expect(showText(dataRecipe('glue/sst-2'))).toMatch(/maxLength +512 +128/);
  });
});

const known = (path: string, task = 'text-classification') =>
  knownData(path, task as Parameters<typeof knownData>[1])?.recipe.id;

describe('a training file', () => {
  it('belongs to a data set by the names of the file and its folder, for the task of the set', () => {
    expect(known('/home/x/glue_data/RTE/train.tsv')).toBe('glue/rte');
    expect(known('C:\\data\\CoLA\\train.tsv')).toBe('glue/cola');
    expect(known('/x/sst2/train-00000-of-00001.parquet')).toBe('glue/sst-2');
    expect(known('/x/STS-B/train.tsv', 'text-regression')).toBe('glue/sts-b');
    expect(known('/x/STS-B/train.tsv')).toBeUndefined();
    expect(known('/x/data/train.tsv')).toBeUndefined();
    expect(known('/x/WNLI/train.tsv')).toBeUndefined();
    expect(known('/x/MYRTE/train.tsv')).toBeUndefined();
    expect(known('/x/commonsense_170k.json', 'multiple-choice')).toBe('commonsense170k');
  });

  it('or folder of images belongs to a data set by a folder on the way to it', () => {
    const task = 'image-classification';
    const images = (path: string, ...args: [string[]?]) => knownImages(path, task, ...args);
    expect(images('/x/EuroSAT_RGB/train')?.recipe.id).toBe('images/eurosat');
    expect(images('C:\\x\\Oxford-Pets\\train')?.recipe.id).toBe('images/oxford-pets');
    expect(images('/x/dtd/images')).toMatchObject({ recipe: { id: 'images/dtd' }, layout: { columns: {} } });
    expect(images('/x/cifar10/train.parquet', ['img', 'label'])).toMatchObject({
      recipe: { id: 'images/cifar-10' },
      layout: { columns: { image: 'img', label: 'label' } },
    });
    // Other columns than those on the hub are for the wizard to guess.
    expect(images('/x/cifar10/train.csv', ['image', 'class'])?.layout.columns).toEqual({});
    expect(images('/x/images/train')).toBeUndefined();
    expect(images('/x/data/train')).toBeUndefined();
    expect(knownImages('/x/eurosat/train', 'text-classification')).toBeUndefined();
  });

  it('is offered with the models of its kind first', () => {
    const first = (task: Parameters<typeof modelsFor>[0]) => modelsFor(task)[0].id;
    expect(first('image-classification')).toBe('vit-base');
    expect(first('text-classification')).toBe('roberta-base');
    expect(first('multiple-choice')).toBe(first('causal-language-modeling'));
    expect(first('multiple-choice')).toMatch(/llama/);
    expect(modelsFor('image-classification')).toHaveLength(PAPER_MODELS.length);
  });

  it('has the settings of the model of the same width', () => {
    const width = (inFeatures: number) => [
      { path: 'encoder.0.query', inFeatures, outFeatures: inFeatures },
      { path: 'encoder.0.value', inFeatures, outFeatures: inFeatures },
    ];
    const rte = dataRecipe('glue/rte');
    expect([768, 1024, 32].map((w) => sizeOf(rte, width(w) as Parameters<typeof sizeOf>[1]))).toEqual([
      'base',
      'large',
      undefined,
    ]);
    expect(sizeOf(dataRecipe('commonsense170k'), [])).toBe('only');
  });
});

describe('the files of a data set', () => {
  const found = (id: string, ...names: string[]) => findFiles(dataRecipe(id), names);

  it('are those of GLUE, without its test file', () => {
    expect(found('glue/rte', 'dev.tsv', 'test.tsv', 'train.tsv')).toMatchObject({
      layout: { title: 'GLUE’s TSV files', read: { quoting: 'none' } },
      train: 'train.tsv',
      validation: 'dev.tsv',
      test: 'test.tsv',
    });
    expect(found('glue/rte', 'train.tsv', 'test.tsv')).not.toHaveProperty('validation');
  });

  it.each([
    ['', '-00000-of-00001.parquet'],
    ['sst2/', '-00000-of-00001.parquet'],
    ['data/', '-00000-of-00001.parquet'],
    ['sst2/', '/0000.parquet'],
  ])('are those of the hub, in the folder "%s", with the ending %s', (folder, ending) => {
    const names = ['train', 'validation', 'test'].map((split) => `${folder}${split}${ending}`);
    expect(found('glue/sst-2', ...names)).toMatchObject({
      layout: { title: 'the hub’s Parquet files', labels: ['negative', 'positive'] },
      train: names[0],
      validation: names[1],
      test: names[2],
    });
  });

  it('are not taken from the folder of another data set', () => {
    expect(found('glue/rte', 'wnli/train-00000-of-00001.parquet')).toMatchObject({
      problem: expect.stringContaining('no training file of RTE') as string,
    });
  });

  it('may have the hash with which they were uploaded in their names', () => {
    const [train, validation] = ['train', 'validation'].map(
      (split) => `data/${split}-00000-of-00001-2f70549ed86cbeba.parquet`,
    );
    expect(found('glue/rte', train, validation)).toMatchObject({ train, validation });
  });

  it('may be in several files, which become a pattern', () => {
    for (const [names, train] of [
      [['train-00000-of-00002.parquet', 'train-00001-of-00002.parquet'], 'train-*-of-00002.parquet'],
      [['train/0000.parquet', 'train/0001.parquet'], 'train/*.parquet'],
      [['train/0001.parquet'], 'train/*.parquet'],
      [['train-00000-of-00010.parquet'], 'train-*-of-00010.parquet'],
      [['data/train-00000-of-00002-2f70549ed86cbeba.parquet'], 'data/train-*-of-00002-*.parquet'],
      [['train-00001-of-00002.parquet', 'train-00000-of-00001.parquet'], 'train-00000-of-00001.parquet'],
    ] as const)
      expect(found('glue/qnli', ...names)).toMatchObject({ train });
    expect(known('/x/sst2/train-*-of-00005.parquet')).toBe('glue/sst-2');
    expect(known('/x/sst2/train/*.parquet')).toBe('glue/sst-2');
  });

  it('of MRPC must be split as GLUE splits them', () => {
    expect(found('glue/mrpc', 'msr_paraphrase_train.txt', 'msr_paraphrase_test.txt')).toMatchObject({
      problem: expect.stringContaining('no validation set') as string,
      hint: expect.stringContaining('download_glue_data.py') as string,
    });
    expect(found('glue/mrpc', 'msr_paraphrase_train.txt', 'train.tsv', 'dev.tsv')).toMatchObject({
      train: 'train.tsv',
      validation: 'dev.tsv',
    });
  });
});
