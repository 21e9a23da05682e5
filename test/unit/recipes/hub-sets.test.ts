import { describe, expect, it } from 'vitest';
import { COMMONSENSE, GLUE, IMAGES } from '../../../src/recipes/paper-data';
import { findFiles } from '../../../src/recipes/data/files';
import { HUB_SETS, hubSet, requireHubSet, knownData, knownImages } from '../../../src/recipes/data/hub-sets';
import { DATA_RECIPES } from '../../../src/recipes/data/data-set-registry';
import { isRepoName } from '../../../src/experiment/hub-reference';

describe('the paper’s data sets on the hub', () => {
  it('are all 22, and Commonsense170K', () => {
    const ids = [
      ...GLUE.map(({ id }) => `glue/${id}`),
      'commonsense170k',
      ...COMMONSENSE.map(({ id }) => id),
      ...IMAGES.map(({ id }) => `images/${id}`),
    ];
    expect(HUB_SETS.map(({ id }) => id)).toEqual(ids);
    expect(HUB_SETS.every(({ repo, source }) => isRepoName(repo) && source.includes(repo))).toBe(true);
  });

  it.each([
    ['glue/rte', 'glue/rte'],
    ['GLUE/SST2', 'glue/sst-2'],
    ['stsb', 'glue/sts-b'],
    ['dtd', 'images/dtd'],
    ['cifar-10', 'images/cifar-10'],
    ['boolq', 'boolq'],
  ])('are found as %s', (name, id) => {
    expect(hubSet(name)?.id).toBe(id);
  });

  it('are suggested for a name that is nearly one', () => {
    expect(hubSet('nyu-mll/glue')).toBeUndefined();
    expect(() => requireHubSet('glue/rtee')).toThrow('The paper has no data set "glue/rtee".');
  });

  // The recipes read what the hub converts each of them to.
  it.each(DATA_RECIPES)('$id has its files where its recipe looks', (recipe) => {
    const { config } = requireHubSet(recipe.id);
    const names = ['train', 'test'].map((split) => `${config}/${split}/0000.parquet`);
    expect(findFiles(recipe, names)).toMatchObject({ train: `${config}/train/0000.parquet` });
    const many = [`${config}/train/0000.parquet`, `${config}/train/0001.parquet`];
    expect(findFiles(recipe, many)).toMatchObject({ train: `${config}/train/*.parquet` });
  });

  it('are recognized in the hub’s cache, also where their folder says nothing', () => {
    const at = (repo: string, path: string) => `/hub/datasets--${repo}/snapshots/${'0'.repeat(40)}/${path}`;
    const images = at('timm--resisc45', 'default/train/0000.parquet');
    expect(knownImages(images, 'image-classification', ['image', 'label'])?.recipe.id).toBe(
      'images/resisc45',
    );
    const cola = at('nyu-mll--glue', 'cola/train/0000.parquet');
    expect(knownData(cola, 'text-classification')?.recipe.id).toBe('glue/cola');
    expect(knownData(cola, 'text-regression')).toBeUndefined();
    expect(
      knownData(at('someone--else', 'default/train/0000.parquet'), 'text-classification'),
    ).toBeUndefined();
  });

  it('may call their validation set val', () => {
    const recipe = DATA_RECIPES.find(({ id }) => id === 'images/fgvc-aircraft')!;
    const names = ['default/train/0000.parquet', 'default/val/0000.parquet', 'default/val/0001.parquet'];
    expect(findFiles(recipe, names)).toMatchObject({ validation: 'default/val/*.parquet' });
  });
});
