import { describe, expect, it } from 'vitest';
import { withColumns } from '../../../src/cli/commands/recipe/columns';
import { findFiles } from '../../../src/recipes/data/files';
import { IMAGE_DATA } from '../../../src/recipes/data/images';
import { settingsOf, sizesOf } from '../../../src/recipes/data/registry';
import { questionsOf } from '../../../src/recipes/questions';
import { quoted, writeParquet } from '../data/table/duckdb';
import { rejection, temporaryFolder } from '../data/support';

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

  it('say what to do with downloads that have their labels elsewhere', () => {
    expect(findFiles(of('oxford-pets'), ['images/', 'annotations/'])).toMatchObject({
      problem: expect.stringContaining('annotations/list.txt') as string,
    });
    expect(findFiles(of('fgvc-aircraft'), ['data/', 'data/images/'])).toHaveProperty('problem');
  });
});

describe('the columns of a Parquet file of the hub', () => {
  const folder = temporaryFolder();
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
