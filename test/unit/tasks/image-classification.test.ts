import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../src/graph/dtype';
import { imageClassification as kind } from '../../../src/tasks/image-classification';
import { LABELS } from '../../../src/tasks/task-graph';
import { batchFeeds, modelInputs } from '../../../src/tasks/task-data';
import { png } from '../../png';
import { emptyGraph, modelOf } from '../autodiff/check';
import { failure } from '../data/support';
import { taskLab } from './lab';

const lab = taskLab('image-classification');

const reading = (shape: (number | string)[], name = 'pixel_values') =>
  modelOf({ ...emptyGraph(), inputs: [{ name, dtype: DType.float, shape }] });
const model = reading(['batch', 3, 4, 6]);
const at = (...names: string[]) => join(lab.path, ...names);
const put = (path: string, content: Uint8Array | string) => {
  mkdirSync(join(lab.path, path, '..'), { recursive: true });
  writeFileSync(at(path), content);
  return at(path);
};
const preprocessor = (value: object) =>
  put('preprocessor_config.json', JSON.stringify({ image_processor_type: 'ViTImageProcessor', ...value }));
preprocessor({ size: { height: 4, width: 6 } });
const plain = (red: number, width = 6, height = 4) => png(width, height, () => [red, 0, 255]);

describe('an image folder', () => {
  const train = at('folder');
  put('folder/cats/b.png', plain(10));
  put('folder/cats/more/a.png', plain(20));
  put('folder/dogs/c.PNG', plain(255));
  put('folder/cats/notes.txt', 'no image');

  it('has one label for each of its folders', async () => {
    const data = await kind.load(lab.spec({ train, validation: train }), model);
    expect(data.labels).toEqual(['cats', 'dogs']);
    expect(data.train.rows.map(({ text, label, line }) => [text, label, line])).toEqual([
      ['cats/b.png', 'cats', 1],
      ['cats/more/a.png', 'cats', 2],
      ['dogs/c.PNG', 'dogs', 3],
    ]);
  });

  it('becomes pixels as ViT reads them, and the index of each label', async () => {
    const { train: split } = await kind.load(lab.spec({ train, validation: train }), model);
    const feeds = await batchFeeds(kind, modelInputs(model), split.dataset, [2, 0]);
    const { dims, data } = feeds.pixel_values;
    expect(dims).toEqual([2, 3, 4, 6]);
    // (byte / 255 − 0.5) / 0.5 for red, green and blue of either image.
    const at = (image: number, channel: number) => (data as Float32Array)[(image * 3 + channel) * 24 + 7];
    expect([at(0, 0), at(0, 1), at(0, 2), at(1, 0)]).toEqual([1, -1, 1, Math.fround((10 / 255 - 0.5) / 0.5)]);
    expect([...(feeds[LABELS].data as BigInt64Array)]).toEqual([1n, 0n]);
  });

  it('is rejected if an image has no label, or is none', async () => {
    const loose = put('loose/a.png', plain(1));
    put('loose/cats/b.png', plain(1));
    const spec = lab.spec({ train: join(loose, '..') });
    await expect(kind.load(spec, model)).rejects.toThrow('a.png is in no folder, so it has no label');
    put('broken/cats/a.png', 'not a PNG');
    put('broken/dogs/b.png', plain(2));
    const broken = lab.spec({ train: at('broken'), validation: train });
    await expect(kind.load(broken, model)).rejects.toThrow(
      /a\.png is not a JPEG, PNG, WebP, GIF, TIFF or AVIF image/,
    );
  });

  it('leaves out such images on request', async () => {
    put('some/cats/a.png', 'not a PNG');
    for (const name of ['b', 'c']) put(`some/cats/${name}.png`, plain(3));
    for (const name of ['d', 'e']) put(`some/dogs/${name}.png`, plain(4));
    const { train, validation, warnings } = await kind.load(
      lab.spec({ train: at('some'), onBadRow: 'skip', validationFraction: 0.4 }),
      model,
    );
    expect(train.dataset.examples.length + validation.dataset.examples.length).toBe(4);
    expect(warnings.join()).toContain('1 row was skipped');
  });
});

describe('a table of images', () => {
  it('names files relative to itself', async () => {
    put('table/images/x.png', plain(1));
    put('table/images/y.png', plain(2));
    const train = put('table/list.csv', 'file,kind\nimages/x.png,a\nimages/y.png,b\n');
    const spec = lab.spec({ train, validation: train, imageColumn: 'file', labelColumn: 'kind' });
    const { dataset } = (await kind.load(spec, model)).validation;
    expect(dataset.examples.map((e) => e.source)).toEqual([
      { path: at('table/images/x.png'), of: train },
      { path: at('table/images/y.png'), of: train },
    ]);
    put('table/list.csv', 'file,kind\nimages/x.png,a\nimages/z.png,b\n');
    await expect(kind.load(spec, model)).rejects.toMatchObject({
      message: `${train}:3: the image ${at('table/images/z.png')} does not exist.`,
      hint: 'Restore the image, or set data.onBadRow to "skip" to train without such images.',
    });
  });

  it('finds the images that training and validation have in common by their bytes', async () => {
    put('twins/train/a/1.png', plain(1));
    put('twins/train/b/2.png', plain(2));
    put('twins/validation/a/other.png', plain(2));
    put('twins/validation/b/same-size.png', plain(3));
    const { train, validation } = await kind.load(
      lab.spec({ train: at('twins/train'), validation: at('twins/validation') }),
      model,
    );
    const key = kind.inputKeys!([train.rows, validation.rows]);
    expect(key(validation.rows.at(0)!)).toBe(key(train.rows.at(1)!));
    expect(new Set([...train.rows, ...validation.rows].map(key)).size).toBe(3);
  });
});

describe('random changes', () => {
  put(
    'changed/a/1.png',
    png(40, 30, (x, y) => [6 * x, 8 * y, x * y]),
  );
  put(
    'changed/b/2.png',
    png(30, 40, (x, y) => [255 - 6 * y, 8 * x, 99]),
  );
  const spec = lab.spec({
    train: at('changed'),
    validation: at('changed'),
    augmentation: { crop: true, flip: 0.5, contrast: 0.3 },
  });
  const pixels = async (pass?: { seed: number; epoch: number }) => {
    const { train } = await kind.load(spec, model);
    const feeds = await batchFeeds(kind, modelInputs(model), train.dataset, [0, 1], undefined, pass);
    return [...(feeds.pixel_values.data as Float32Array)];
  };

  it('depend on the seed and the epoch, and are not made in evaluations', async () => {
    const first = await pixels({ seed: 1, epoch: 0 });
    expect(await pixels({ seed: 1, epoch: 0 })).toEqual(first);
    expect(await pixels({ seed: 1, epoch: 1 })).not.toEqual(first);
    expect(await pixels({ seed: 2, epoch: 0 })).not.toEqual(first);
    expect(await pixels()).not.toEqual(first);
    expect(await pixels()).toEqual(await pixels());
  });

  it('are the same if the images were read ahead', async () => {
    const pass = { seed: 1, epoch: 3 };
    const { train } = await kind.load(spec, model);
    kind.readAhead!(train.dataset, [0, 1], pass);
    const feeds = await batchFeeds(kind, modelInputs(model), train.dataset, [0, 1], undefined, pass);
    expect([...(feeds.pixel_values.data as Float32Array)]).toEqual(await pixels(pass));
  });

  it('keep a head from being trained on features that are computed once', () => {
    expect(kind.varies(spec)).toBe(true);
    expect(kind.varies(lab.spec({ train: at('changed') }))).toBe(false);
  });
});

describe('a model that does not read these images', () => {
  const spec = lab.spec({ train: at('folder') });
  const why = (of: typeof model) => kind.withoutRows(spec, of).catch((e: Error) => e.message);

  it('is named, with what it reads', async () => {
    expect(await why(reading(['batch', 3, 224, 224]))).toMatch(
      /preprocessor_config.json makes images of 6 × 4/,
    );
    expect(await why(reading(['batch', 1, 4, 6]))).toMatch(/images have 3 channels/);
    expect(await why(reading([1, 3, 4, 6]))).toMatch(/the batch axis is fixed/);
    expect(await why(reading(['batch', 'sequence'], 'input_ids'))).toMatch(
      /has the inputs input_ids, but images fill a single one/,
    );
  });

  it('is accepted with free sides', async () =>
    expect((await kind.withoutRows(spec, reading(['b', 3, 'h', 'w']))).train.dataset.side).toEqual({
      height: 4,
      width: 6,
    }));
});

it('counts the five most likely labels as well', () => {
  const labels = ['a', 'b', 'c', 'd', 'e', 'f'];
  const scorer = kind.scorer({ labels });
  const example = (label: number) => ({ size: 1, row: 0, source: { path: '' }, label });
  scorer.add(example(0), Float32Array.of(6, 5, 4, 3, 2, 1));
  scorer.add(example(4), Float32Array.of(6, 5, 4, 3, 2, 1));
  scorer.add(example(5), Float32Array.of(6, 5, 4, 3, 2, 1));
  expect(scorer.metrics()).toMatchObject({ accuracy: 1 / 3, top5Accuracy: 2 / 3, examples: 3 });
});

it('asks about images of the size that the model reads', async () => {
  const data = await kind.withoutRows(lab.spec({ train: at('folder') }), model, { labels: ['a', 'b'] });
  const rgba = Buffer.alloc(4 * 24, 255).toString('base64');
  const { example, answer } = kind.ask!({ text: '', image: { width: 6, height: 4, rgba } }, data);
  const feeds = await kind.inputs({ ...data.train.dataset, examples: [example] }, [0], modelInputs(model), 1);
  expect(new Set(feeds.pixel_values.data as Float32Array)).toEqual(new Set([1]));
  expect(answer(Float32Array.of(0, Math.log(3))).probabilities![1]).toBeCloseTo(0.75);
  expect(
    failure('data', () => kind.ask!({ text: '', image: { width: 5, height: 4, rgba } }, data)),
  ).toContain('The image is 5 × 4; the model reads 6 × 4.');
});
