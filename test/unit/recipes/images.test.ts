import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withColumns, filesIn } from '../../../src/cli/commands/recipe/data-folder';
import { showText } from '../../../src/cli/commands/recipe/show';
import { findFiles } from '../../../src/recipes/data/files';
import { IMAGE_DATA } from '../../../src/recipes/data/image-sets';
import { settingsOf, sizesOf } from '../../../src/recipes/data/data-set-registry';
import { questionsOf } from '../../../src/recipes/draft-recipe';
import { quoted, writeParquet } from '../data/table/duckdb';
import { rejection, temporaryFolder } from '../data/support';

const folder = temporaryFolder();
const of = (id: string) => IMAGE_DATA.find((recipe) => recipe.id === `images/${id}`)!;
const labels = (count: number, folder = '') =>
  Array.from({ length: count }, (_, i) => `${folder}label-${i}/`);

describe("the recipes of the paper's image data sets", () => {
  it('have settings for both sizes, and ask for the batch size and the warm-up', () => {
    for (const recipe of IMAGE_DATA)
      for (const size of sizesOf(recipe)) {
        const settings = settingsOf(recipe, size);
        expect(settings.settings.headLearningRate, recipe.id).toBeGreaterThan(0);
        expect(questionsOf(settings).map(({ key }) => key)).toEqual([
          'training.batchSize',
          'training.warmupRatio',
          'training.betas',
          'training.epsilon',
          'training.maxGradientNorm',
          'training.seed',
        ]);
      }
  });

  it('find folders of splits, of labels, and Parquet files', () => {
    const pets = findFiles(of('oxford-pets'), ['train/', 'val/', 'test/', ...labels(37, 'train/')]);
    expect(pets).toMatchObject({ train: 'train/', validation: 'val/', test: 'test/' });
    expect(findFiles(of('eurosat'), ['2750/'])).toMatchObject({ train: '2750/' });
    expect(findFiles(of('resisc45'), labels(45))).toMatchObject({ train: '.' });
    expect(findFiles(of('resisc45'), labels(44))).toHaveProperty('problem');
    const names = ['train', 'test'].map((split) => `data/${split}-00000-of-00001.parquet`);
    expect(findFiles(of('cifar-100'), names)).toMatchObject({
      layout: { columns: { image: 'img', label: 'fine_label' } },
      train: names[0],
      test: names[1],
    });
    expect(findFiles(of('cifar-100'), names)).not.toHaveProperty('validation');
  });

  it.each([
    ['cifar-10', 'plain_text', '-00000-of-00001.parquet'],
    ['cifar-10', 'plain_text', '/0000.parquet'],
    ['cifar-100', 'cifar100', '-00000-of-00001.parquet'],
    ['cifar-100', 'cifar100', '/0000.parquet'],
    ['dtd', 'default', '/0000.parquet'],
  ])('find the files of %s in the folder of its configuration, %s, with the ending %s', (id, config, end) => {
    const clone = join(folder.path, `${id} with ${end.replace('/', '')}`);
    const names = ['train', 'test'].map((split) => `${config}/${split}${end}`);
    for (const name of names) {
      mkdirSync(dirname(join(clone, name)), { recursive: true });
      writeFileSync(join(clone, name), '');
    }
    expect(filesIn(of(id), clone)).toMatchObject({ train: names[0], test: names[1] });
  });

  it('say what to do with downloads that have their labels elsewhere', () => {
    expect(findFiles(of('oxford-pets'), ['images/', 'annotations/'])).toMatchObject({
      problem: expect.stringContaining('annotations/list.txt') as string,
    });
    expect(findFiles(of('fgvc-aircraft'), ['data/', 'data/images/'])).toHaveProperty('problem');
  });
});

describe('the recipe of DTD', () => {
  it('says that its lists of splits are not read', () => {
    expect(findFiles(of('dtd'), ['images/', 'labels/'])).toMatchObject({ train: 'images/' });
    expect(showText(of('dtd'))).toMatch(/labels\/train1\.txt/);
  });
});

describe('the columns of a Parquet file of the hub', () => {
  const layout = of('dtd').layouts[0];
  const write = async (name: string, columns: string, features: object) => {
    const path = `${folder.path}/${name}.parquet`;
    const json = quoted(JSON.stringify({ info: { features } }));
    await writeParquet(path, `select ${columns}`, `kv_metadata {huggingface: ${json}}`);
    return path;
  };
  const CLASS = { names: ['a', 'b'], _type: 'ClassLabel' };

  it('are the one with images and the only one whose labels have names', async () => {
    const path = await write('one', `'x'::blob as image, 1 as texture, 2 as id`, { texture: CLASS });
    expect(await withColumns(layout, path, new Map())).toMatchObject({
      columns: { image: 'image', label: 'texture' },
      source: 'one.parquet itself',
    });
  });

  it('are asked for if several have labels', async () => {
    const path = await write('two', `'x'::blob as image, 1 as variant, 0 as family`, {
      variant: CLASS,
      family: CLASS,
    });
    expect(await rejection('data', withColumns(layout, path, new Map()))).toContain(
      'which column has the labels; it has image, variant, family',
    );
    const set = new Map([['data.labelColumn', 'family']]);
    expect((await withColumns(layout, path, set)).columns).toEqual({ image: 'image', label: 'family' });
  });
});
