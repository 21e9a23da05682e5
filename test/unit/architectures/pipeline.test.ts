import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModelFrom, weightFilesOf } from '../../../src/architectures/load';
import { modelSource, requireTextToImage } from '../../../src/architectures/model-source';
import {
  loadTextEncoder,
  loadVaeDecoder,
  loadVaeEncoder,
  loadWithTextEncoders,
} from '../../../src/architectures/pipeline';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { prepareModel } from '../../../src/graph/prepare';
import { prune } from '../../../src/graph/reads';
import { DType } from '../../../src/graph/dtype';
import type { Model } from '../../../src/graph/model';
import { difference, host, runModel } from '../graph/onnx-models';
import { Folders } from './folders';

const PIPELINES = join(import.meta.dirname, '../../fixtures/diffusers');

const folders = new Folders();
afterAll(() => folders.remove());

/** A copy of a pipeline, to be changed. */
function copyOf(name: string): string {
  const folder = folders.make({});
  cpSync(join(PIPELINES, name), folder, { recursive: true });
  return folder;
}

const pipelineAt = (path: string) => requireTextToImage(modelSource(path));

function changeJson(path: string, change: Record<string, unknown>): void {
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...change }));
}

const inputsOf = (model: Model) => Object.fromEntries(model.graph.inputs.map((i) => [i.name, i.shape]));

const noise = (dims: number[], seed: number) =>
  host(
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 1.7 * i)),
    DType.float,
  );

describe('the folder of a pipeline', () => {
  it('has its components by name, and what the autoencoder does to latents', () => {
    const folder = join(PIPELINES, 'sdxl');
    const pipeline = pipelineAt(folder);
    expect(pipelineAt(join(folder, 'model_index.json'))).toEqual(pipeline);
    expect(pipeline).toMatchObject({
      kind: 'pipeline',
      isXl: true,
      unet: { kind: 'hub', file: join(folder, 'unet/config.json') },
      vae: {
        encoder: { file: join(folder, 'vae/config.json') },
        scalingFactor: 0.13025,
        shiftFactor: 0,
        factor: 2,
      },
      forceZerosForEmptyPrompt: true,
    });
    expect(pipeline.textEncoders.map((e) => [e.name, e.tokenizer])).toEqual([
      ['text_encoder', join(folder, 'tokenizer')],
      ['text_encoder_2', join(folder, 'tokenizer_2')],
    ]);
  });

  it.each([
    ['unet/config.json', { in_channels: 9 }, 'in_channels is 9, but the latents of the autoencoder have 4'],
    ['unet/config.json', { out_channels: 8 }, 'out_channels is 8, but the latents of the autoencoder have 4'],
    ['model_index.json', { requires_aesthetics_score: true }, 'refines pictures of another pipeline'],
  ])('draws from a prompt alone, but not with %s %o', (file, change, message) => {
    const folder = copyOf('sd');
    expect(() => requireTextToImage(modelSource(folder))).not.toThrow();
    changeJson(join(folder, file), change);
    expect(() => requireTextToImage(modelSource(folder))).toThrow(message);
  });

  it('is its U-Net, whose text inputs have the sizes that the last text encoder gives', () => {
    const own = inputsOf(loadModelFrom(modelSource(join(PIPELINES, 'sdxl'))));
    expect(own).toMatchObject({ text_embeds: ['batch', 16], time_ids: ['batch', 6] });
    const alone = inputsOf(loadModelFrom(modelSource(join(PIPELINES, 'sdxl/unet'))));
    expect(alone).toEqual({ ...own, text_embeds: ['batch', 'text_size'], time_ids: ['batch', 'ids'] });
  });

  it('of another class is refused, and so is one without a part', () => {
    const folder = copyOf('sd');
    rmSync(join(folder, 'scheduler'), { recursive: true });
    expect(() => modelSource(folder)).toThrow(/has no scheduler\/scheduler_config\.json/);
    changeJson(join(folder, 'model_index.json'), { _class_name: 'FluxPipeline' });
    expect(() => modelSource(folder)).toThrow(/_class_name is "FluxPipeline", which is not supported/);
    expect(() => modelSource(folder)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('StableDiffusionXLPipeline') as string }),
    );
  });

  it('may have float16 weights alone', () => {
    const folder = copyOf('sd');
    const at = (name: string) => join(folder, 'text_encoder', name);
    renameSync(at('model.safetensors'), at('model.fp16.safetensors'));
    expect(() => loadTextEncoder(pipelineAt(folder).textEncoders[0]!.model)).not.toThrow();
  });
});

describe('a U-Net', () => {
  it.each([
    [16, 8],
    [5, 7],
  ])('runs on latents of %i × %i', async (height, width) => {
    const { out_sample: made } = await runModel(loadModelFrom(modelSource(join(PIPELINES, 'sd'))), {
      sample: noise([1, 4, height, width], 1),
      timestep: host([1], [500], DType.int64),
      encoder_hidden_states: noise([1, 3, 16], 2),
    });
    expect(made.dims).toEqual([1, 4, height, width]);
  });

  it.each([
    ['class_embed_type', 'timestep'],
    ['num_class_embeds', 1000],
    ['dual_cross_attention', true],
    ['addition_embed_type', 'image'],
    ['time_cond_proj_dim', 256],
    ['norm_num_groups', 3],
    ['down_block_types', ['DownBlock2D', 'AttnDownBlock2D', 'CrossAttnDownBlock2D']],
    ['mid_block_type', 'UNetMidBlock2DSimpleCrossAttn'],
  ])('with %s %j is refused by name', (key, value) => {
    const folder = copyOf('sdxl');
    changeJson(join(folder, 'unet/config.json'), { [key]: value });
    expect(() => loadModelFrom(modelSource(folder))).toThrow(
      new RegExp(`unet/config.json: ${key} is .* not supported`),
    );
  });
});

describe('a U-Net with its text encoders', () => {
  it('has the modules of all under their names, and reads tokens in place of states', () => {
    const model = loadWithTextEncoders(pipelineAt(join(PIPELINES, 'sdxl')));
    expect(Object.keys(inputsOf(model))).toEqual([
      'sample',
      'timestep',
      'time_ids',
      'input_ids',
      'input_ids_2',
    ]);
    const paths = findLinearLayers(model.graph).map((l) => l.path);
    for (const path of [
      'text_encoder.text_model.encoder.layers.0.self_attn.q_proj',
      'text_encoder_2.text_projection',
      'mid_block.attentions.0.transformer_blocks.1.attn2.to_out.0',
    ])
      expect(paths).toContain(path);
    // The graph is in order, and nothing in it is left over.
    expect(prune(model.graph).nodes).toEqual(model.graph.nodes);
  });

  it('gives what they give one after the other', async () => {
    const pipeline = pipelineAt(join(PIPELINES, 'sd'));
    const ids = host([1, 6], [3, 8, 20, 7, 587, 587], DType.int64);
    const { last_hidden_state: states } = await runModel(loadTextEncoder(pipeline.textEncoders[0]!.model), {
      input_ids: ids,
    });
    const others = { sample: noise([1, 4, 8, 8], 1), timestep: host([1], [10], DType.int64) };
    const apart = await runModel(loadModelFrom(pipeline), { ...others, encoder_hidden_states: states });
    const whole = await runModel(loadWithTextEncoders(pipeline), { ...others, input_ids: ids });
    expect(difference(apart, whole, 1e-5, 1e-6)).toBeUndefined();
  });
});

describe('a pipeline that was exported to ONNX', () => {
  const folder = join(PIPELINES, 'sdxl');
  const [exported, own] = [`${folder}-onnx`, folder].map(pipelineAt);
  const same = async (a: Model, b: Model, feeds: Record<string, ReturnType<typeof host>>) =>
    expect(
      difference(await runModel(prepareModel(a), feeds), await runModel(b, feeds), 1e-4, 1e-5),
    ).toBeUndefined();

  it('has inputs of the types and sizes that the folder has', () => {
    expect(inputsOf(loadModelFrom(exported))).toEqual(inputsOf(loadModelFrom(own)));
    for (const [i, { model }] of own.textEncoders.entries()) {
      const { inputs } = loadTextEncoder(exported.textEncoders[i]!.model).graph;
      expect(inputs).toEqual(loadTextEncoder(model).graph.inputs);
    }
    expect(weightFilesOf(exported.unet)).toEqual([join(exported.folder, 'unet/model.onnx')]);
    expect(exported.vae).toEqual({
      ...own.vae,
      encoder: { kind: 'onnx', file: join(exported.folder, 'vae_encoder/model.onnx') },
      decoder: { kind: 'onnx', file: join(exported.folder, 'vae_decoder/model.onnx') },
    });
  });

  it('computes the same', async () => {
    const ids = { input_ids: host([2, 5], [3, 8, 20, 587, 7, 587, 1, 2, 3, 4], DType.int64) };
    for (const [i, { model }] of own.textEncoders.entries())
      await same(loadTextEncoder(exported.textEncoders[i]!.model), loadTextEncoder(model), ids);
    await same(loadVaeEncoder(exported.vae.encoder), loadVaeEncoder(own.vae.encoder), {
      sample: noise([1, 3, 8, 12], 1),
    });
    await same(loadVaeDecoder(exported.vae.decoder), loadVaeDecoder(own.vae.decoder), {
      latent_sample: noise([1, 4, 4, 6], 1),
    });
    await same(loadModelFrom(exported), loadModelFrom(own), {
      sample: noise([3, 4, 8, 12], 1),
      timestep: host([3], [10, 500, 7], DType.int64),
      encoder_hidden_states: noise([3, 4, 28], 2),
      text_embeds: noise([3, 16], 3),
      time_ids: noise([3, 6], 4),
    });
  });

  it('has the layers of the folder, also with its text encoders', () => {
    const pathsOf = (model: Model) => findLinearLayers(prepareModel(model).graph).map((l) => l.path);
    expect(pathsOf(loadModelFrom(exported)).sort()).toEqual(pathsOf(loadModelFrom(own)).sort());
    const whole = pathsOf(loadWithTextEncoders(exported));
    expect(whole.sort()).toEqual(pathsOf(loadWithTextEncoders(own)).sort());
  });
});
