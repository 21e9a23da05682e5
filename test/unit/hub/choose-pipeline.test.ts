import { describe, expect, it } from 'vitest';
import { chooseModelFiles } from '../../../src/hub/choose-files';

const choose = (paths: readonly string[]) =>
  chooseModelFiles(
    'org/name',
    paths.map((path, i) => ({ path, size: 1000 + i })),
  );
const filesOf = (paths: readonly string[]) => choose(paths).files.map(({ path }) => path);

const TOKENIZER = ['merges.txt', 'special_tokens_map.json', 'tokenizer_config.json', 'vocab.json'];
const tokenizer = (folder: string) => TOKENIZER.map((name) => `${folder}/${name}`);

/** The files of a pipeline that training reads, with those of its weights. */
const needed = (encoders: readonly string[]) => [
  'README.md',
  'model_index.json',
  'scheduler/scheduler_config.json',
  ...encoders.flatMap((suffix) => [
    `text_encoder${suffix}/config.json`,
    `text_encoder${suffix}/model.safetensors`,
    ...tokenizer(`tokenizer${suffix}`),
  ]),
  'unet/config.json',
  'unet/diffusion_pytorch_model.safetensors',
  'vae/config.json',
  'vae/diffusion_pytorch_model.safetensors',
];

// As stabilityai/stable-diffusion-xl-base-1.0 has them.
const SDXL = [
  ...['01.png', 'LICENSE.md', 'pipeline.png', ...needed(['', '_2'])],
  ...[
    'sd_xl_base_1.0.safetensors',
    'sd_xl_base_1.0_0.9vae.safetensors',
    'sd_xl_offset_example-lora_1.0.safetensors',
  ],
  ...['text_encoder/flax_model.msgpack', 'text_encoder/model.fp16.safetensors', 'text_encoder/model.onnx'],
  ...['text_encoder_2/model.onnx', 'text_encoder_2/model.onnx_data', 'text_encoder_2/openvino_model.xml'],
  ...['unet/diffusion_flax_model.msgpack', 'unet/diffusion_pytorch_model.fp16.safetensors'],
  ...['unet/model.onnx', 'unet/model.onnx_data', 'vae/diffusion_pytorch_model.fp16.safetensors'],
  ...['vae_1_0/config.json', 'vae_1_0/diffusion_pytorch_model.safetensors'],
  ...[
    'vae_decoder/config.json',
    'vae_decoder/model.onnx',
    'vae_encoder/config.json',
    'vae_encoder/model.onnx',
  ],
];

// As the repository of Stable Diffusion 1.5 has them.
const SD = [
  ...needed(['']),
  ...[
    'feature_extractor/preprocessor_config.json',
    'safety_checker/config.json',
    'safety_checker/model.safetensors',
  ],
  ...[
    'text_encoder/pytorch_model.bin',
    'unet/diffusion_pytorch_model.bin',
    'v1-5-pruned-emaonly.safetensors',
  ],
  ...['unet/diffusion_pytorch_model.non_ema.safetensors', 'v1-inference.yaml', 'v1-5-pruned.ckpt'],
];

describe('the files that training needs of a pipeline', () => {
  it('are the components in one precision, not the weights in one file or for other programs', () => {
    const { model, tokenizer: found, weights } = choose(SDXL);
    expect(filesOf(SDXL).sort()).toEqual(['LICENSE.md', ...needed(['', '_2'])].sort());
    expect([model, found]).toEqual(['', 'tokenizer/vocab.json']);
    expect(weights).toEqual([
      'unet/diffusion_pytorch_model.safetensors',
      'vae/diffusion_pytorch_model.safetensors',
      'text_encoder/model.safetensors',
      'text_encoder_2/model.safetensors',
    ]);
    expect(filesOf(SD).sort()).toEqual(needed(['']).sort());
  });

  it('are in half precision where a component has nothing else', () => {
    const half = SDXL.filter((path) => path !== 'unet/diffusion_pytorch_model.safetensors');
    expect(choose(half).weights.slice(0, 2)).toEqual([
      'unet/diffusion_pytorch_model.fp16.safetensors',
      'vae/diffusion_pytorch_model.safetensors',
    ]);
  });

  it('include the index and all files that it lists, if there are several', () => {
    const shards = [1, 2].map((n) => `unet/diffusion_pytorch_model-0000${n}-of-00002.safetensors`);
    const index = 'unet/diffusion_pytorch_model.safetensors.index.json';
    const several = SD.filter((path) => path !== 'unet/diffusion_pytorch_model.safetensors');
    const files = filesOf([...several, index, ...shards]);
    expect(files).toEqual(expect.arrayContaining([index, ...shards]));
    expect(choose([...several, index, ...shards]).weights.slice(0, 2)).toEqual(shards);
  });

  it('are ONNX files with their data in Optimum’s layout, where the U-Net is nothing else', () => {
    const onnx = SDXL.filter((path) => !path.endsWith('.safetensors') && !path.startsWith('vae_1_0'));
    expect(choose(onnx).weights.sort()).toEqual(
      [
        ...['text_encoder/model.onnx', 'text_encoder_2/model.onnx', 'text_encoder_2/model.onnx_data'],
        ...['unet/model.onnx', 'unet/model.onnx_data', 'vae_decoder/model.onnx', 'vae_encoder/model.onnx'],
      ].sort(),
    );
    expect(filesOf(onnx)).toContain('tokenizer_2/vocab.json');
  });

  it.each([
    ['no U-Net', SD.filter((path) => !path.startsWith('unet/')), 'is a pipeline without unet/'],
    [
      'a pickled one',
      SD.filter((path) => !/^unet\/.*\.safetensors$/.test(path)),
      'has the weights of unet only in unet/diffusion_pytorch_model.bin, a format that can run code',
    ],
    [
      'no weights of the autoencoder',
      SD.filter((path) => path !== 'vae/diffusion_pytorch_model.safetensors'),
      'org/name has no vae/diffusion_pytorch_model.safetensors.',
    ],
    ['no config', SD.filter((path) => path !== 'unet/config.json'), 'org/name has no unet/config.json.'],
    ['no vocabulary', SD.filter((path) => path !== 'tokenizer/vocab.json'), 'has no tokenizer/vocab.json.'],
  ])('are refused if there is %s', (_, paths, message) => {
    expect(() => choose(paths)).toThrow(message);
  });
});
