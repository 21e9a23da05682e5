import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import { outputSize, resizedSize } from '../../../../src/data/images/image';
import { parsePreprocessing, readPreprocessing } from '../../../../src/data/images/preprocessor-config';
import { scratchFolder } from '../../../scratch';

const PATH = 'm/preprocessor_config.json';
const parse = (config: unknown) => parsePreprocessing(config, PATH);
const square = (side: number) => ({ width: side, height: side });
const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };

describe('the preprocessing of a known image processor', () => {
  it.each([
    ['ViTImageProcessor', square(224), 'bilinear', undefined],
    ['DeiTImageProcessor', square(256), 'bicubic', square(224)],
    ['BeitImageProcessor', square(224), 'bicubic', undefined],
    ['SiglipImageProcessor', square(224), 'bicubic', undefined],
    ['CLIPImageProcessor', { shortestEdge: 224 }, 'bicubic', square(224)],
    ['BitImageProcessor', { shortestEdge: 224 }, 'bicubic', square(224)],
    ['ConvNextImageProcessor', square(384), 'bicubic', undefined],
    ['MobileNetV2ImageProcessor', { shortestEdge: 256 }, 'bilinear', square(224)],
  ])('is its own where the file says nothing: %s', (image_processor_type, resize, resample, crop) => {
    const { preprocessing, assumed } = parse({ image_processor_type, size: null });
    expect(preprocessing).toMatchObject({ resize, resample, rescale: 1 / 255 });
    expect(preprocessing.crop).toEqual(crop);
    expect(assumed).toEqual([]);
  });

  it('has the mean and deviation of the class', () => {
    const meanOf = (type: string) => parse({ feature_extractor_type: type }).preprocessing.normalize?.mean;
    expect(meanOf('ViTFeatureExtractor')).toEqual([0.5, 0.5, 0.5]);
    expect(meanOf('CLIPImageProcessorFast')).toEqual([0.48145466, 0.4578275, 0.40821073]);
  });

  it('reads the files of well-known models', () => {
    const vit = {
      feature_extractor_type: 'ViTFeatureExtractor',
      size: 224,
      resample: 2,
      image_mean: 0.5,
      image_std: 0.5,
    };
    expect(parse({ ...vit, do_normalize: true, do_resize: true }).preprocessing).toEqual({
      resize: square(224),
      resample: 'bilinear',
      rescale: 1 / 255,
      normalize: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    });
    const deit = {
      feature_extractor_type: 'DeiTFeatureExtractor',
      size: 256,
      crop_size: 224,
      do_center_crop: true,
    };
    expect(parse({ ...deit, resample: 3, ...IMAGENET }).preprocessing).toEqual({
      resize: square(256),
      crop: square(224),
      resample: 'bicubic',
      rescale: 1 / 255,
      normalize: { mean: IMAGENET.image_mean, std: IMAGENET.image_std },
    });
    const dino = { image_processor_type: 'BitImageProcessor', size: { shortest_edge: 256 } };
    expect(parse({ ...dino, crop_size: { height: 224, width: 200 } }).preprocessing).toMatchObject({
      resize: { shortestEdge: 256 },
      crop: { height: 224, width: 200 },
    });
  });

  it.each([
    [
      { size: 224, crop_pct: 0.875 },
      { resize: { shortestEdge: 256 }, crop: square(224) },
    ],
    [
      { size: { shortest_edge: 224 }, crop_pct: 0.95 },
      { resize: { shortestEdge: 235 }, crop: square(224) },
    ],
    [{ size: 288 }, { resize: { shortestEdge: 329 }, crop: square(288) }],
    [{ size: 383 }, { resize: { shortestEdge: 437 }, crop: square(383) }],
    [{ size: 384, crop_pct: 0.875 }, { resize: square(384) }],
  ])("follows ConvNeXT's rule of crop_pct: %j", (config, expected) => {
    const { preprocessing } = parse({ feature_extractor_type: 'ConvNextFeatureExtractor', ...config });
    expect({ resize: preprocessing.resize, crop: preprocessing.crop }).toEqual({
      crop: undefined,
      ...expected,
    });
  });

  it('skips the steps that are switched off', () => {
    const off = { do_resize: false, do_center_crop: false, do_rescale: false, do_normalize: false };
    expect(parse({ image_processor_type: 'CLIPImageProcessor', ...off }).preprocessing).toEqual({
      resample: 'bicubic',
    });
    const convnext = { image_processor_type: 'ConvNextImageProcessor', size: 224, do_resize: false };
    expect(parse(convnext).preprocessing.crop).toBeUndefined();
  });
});

describe('the preprocessing of an unknown image processor', () => {
  it("is read as ViT's, and everything that was assumed is said", () => {
    const { preprocessing, assumed } = parse({
      image_processor_type: 'OddImageProcessor',
      size: 96,
      resample: 1,
    });
    expect(preprocessing).toMatchObject({ resize: square(96), resample: 'lanczos' });
    expect(assumed).toEqual([
      `${PATH} names OddImageProcessor, which is not known here: its settings are read as those of ViTImageProcessor.`,
      `${PATH} has no "image_mean": 0.5 is assumed.`,
      `${PATH} has no "image_std": 0.5 is assumed.`,
    ]);
    expect(parse({}).assumed[0]).toContain('names no image processor');
  });

  it('takes a single size for the shortest edge if it crops', () => {
    expect(parse({ size: 256, do_center_crop: true, crop_size: 224 }).preprocessing).toMatchObject({
      resize: { shortestEdge: 256 },
      crop: square(224),
    });
  });

  it.each(['constructor', '__proto__', 'toString'])('may have any name: %s', (name) =>
    expect(parse({ image_processor_type: name }).assumed[0]).toContain(`names ${name}`),
  );
});

describe('a preprocessor_config.json', () => {
  it.each([
    [{ size: '224' }, '"size" is "224"; it must be a number from 1 to 8192'],
    [{ size: 0 }, '"size" is 0'],
    [{ size: 224.5 }, '"size" is 224.5'],
    [{ size: 1e9 }, '"size" is 1000000000'],
    [{ size: { height: 224 } }, '"size" is {"height":224}'],
    [{ size: { longest_edge: 224 } }, '"size" is {"longest_edge":224}'],
    [{ size: { shortest_edge: 224, longest_edge: 224 } }, 'with at most a larger "longest_edge"'],
    [{ do_center_crop: true, crop_size: { shortest_edge: 3 } }, '"crop_size" is {"shortest_edge":3}'],
    [{ resample: 6 }, '"resample" is 6; it must be a number from 0 to 5 (nearest, lanczos, bilinear'],
    [{ resample: 'bicubic' }, '"resample" is "bicubic"'],
    [{ do_resize: 1 }, '"do_resize" is 1; it must be true or false'],
    [{ do_normalize: 'yes' }, '"do_normalize" is "yes"'],
    [{ rescale_factor: 0 }, '"rescale_factor" is 0; it must be a number above 0'],
    [{ rescale_factor: '1/255' }, '"rescale_factor" is "1/255"'],
    [{ image_mean: [0.5] }, '"image_mean" is [0.5]; it must be a number, or three'],
    [{ image_mean: [0.5, 0.5, null] }, '"image_mean" is [0.5,0.5,null]'],
    [{ image_std: [0.5, 0, 0.5] }, '"image_std" is [0.5,0,0.5]; it must be above 0'],
    [{ image_processor_type: 3 }, '"image_processor_type" is 3; it must be a string'],
    [{ image_processor_type: 'ConvNextImageProcessor', size: 224, crop_pct: -1 }, '"crop_pct" is -1'],
    [
      { image_processor_type: 'ConvNextImageProcessor', size: { height: 8, width: 8 } },
      '{"shortest_edge": a number}',
    ],
    [{ size: 'x'.repeat(500) }, 'x…; it must be'],
    [{ do_pad: true }, '"do_pad" is true; AuroRA Lab has no such step'],
    [{ do_flip_channel_order: true }, '"do_flip_channel_order" is true'],
    [[], 'is not a JSON object'],
    [null, 'is not a JSON object'],
  ])('is refused for %j', (config, words) => {
    const e = (() => {
      try {
        return parse(config);
      } catch (e) {
        return e;
      }
    })();
    expect(e).toBeInstanceOf(AuroraError);
    expect(e).toMatchObject({ kind: 'model', hint: expect.any(String) as string });
    expect((e as Error).message).toContain(PATH);
    expect((e as Error).message).toContain(words);
  });

  const folder = scratchFolder('preprocessor');

  it('is read from its file, and refused if there is none or if it is not JSON', () => {
    const path = join(folder, 'preprocessor_config.json');
    expect(() => readPreprocessing(path)).toThrow(`${path} cannot be read`);
    writeFileSync(path, '{"size": 32');
    expect(() => readPreprocessing(path)).toThrow(`${path} is not valid JSON`);
    writeFileSync(path, '{"size": 32, "image_processor_type": "ViTImageProcessor"}');
    expect(readPreprocessing(path).preprocessing.resize).toEqual(square(32));
  });
});

describe('the size of a resized image', () => {
  it.each([
    [500, 375, { shortestEdge: 224 }, 298, 224],
    [375, 500, { shortestEdge: 224 }, 224, 298],
    [300, 300, { shortestEdge: 224 }, 224, 224],
    [1, 1000, { shortestEdge: 2 }, 2, 2000],
    [500, 375, { shortestEdge: 224, longestEdge: 256 }, 256, 192],
    [500, 375, { shortestEdge: 224, longestEdge: 298 }, 298, 224],
    [500, 375, { width: 30, height: 40 }, 30, 40],
  ])('is that of transformers: %i × %i to %j', (width, height, to, w, h) =>
    expect(resizedSize({ width, height }, to)).toEqual({ width: w, height: h }),
  );

  it('is known beforehand if it is fixed or cropped', () => {
    expect(outputSize({ resample: 'box', resize: { shortestEdge: 9 }, crop: square(8) })).toEqual(square(8));
    expect(outputSize({ resample: 'box', resize: square(9) })).toEqual(square(9));
    expect(outputSize({ resample: 'box', resize: { shortestEdge: 9 } })).toBeUndefined();
    expect(outputSize({ resample: 'box' })).toBeUndefined();
  });
});
