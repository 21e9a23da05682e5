import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource, requireTextToImage } from '../../../src/architectures/model-source';
import { loadWithTextEncoders } from '../../../src/architectures/pipeline';
import { encodeSafetensors, type FloatTensor } from '../../../src/graph/file/safetensors';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { prepareModel } from '../../../src/graph/prepare';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { fitAdapter } from '../../../src/peft/fit';
import { withAdaptedConvolutions } from '../../../src/peft/adapted-convolutions';
import { blocksOf, isInTextEncoder, kohyaName, kohyaPaths } from '../../../src/peft/kohya-names';
import { scratchFolder } from '../../scratch';
import names from '../../fixtures/kohya/sdxl-names.json';

const folder = scratchFolder('kohya');
let made = 0;

interface Module {
  rank: number;
  alpha?: number;
  in: number;
  out: number;
  /** The sizes of a convolution's kernel. */
  kernel?: number[];
}

/** A file with matrices of ones under each name of kohya's scripts. */
function lora(modules: Record<string, Module>, more: Record<string, FloatTensor> = {}): string {
  const tensors = new Map<string, FloatTensor>(Object.entries(more));
  const ones = (...dims: number[]) => ({
    dims,
    data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1),
  });
  for (const [name, { rank, alpha, in: inputs, out, kernel }] of Object.entries(modules)) {
    tensors.set(`${name}.lora_down.weight`, ones(rank, inputs, ...(kernel ?? [])));
    tensors.set(`${name}.lora_up.weight`, ones(out, rank, ...(kernel?.map(() => 1) ?? [])));
    if (alpha !== undefined) tensors.set(`${name}.alpha`, { dims: [], data: Float32Array.of(alpha) });
  }
  const path = join(folder, `lora-${made++}.safetensors`);
  writeFileSync(path, encodeSafetensors(tensors));
  return path;
}

/** The U-Net of a pipeline of the fixtures, alone or with its text encoders. */
function unet(name: string, withTexts = false) {
  const source = requireTextToImage(modelSource(resolve('test/fixtures/diffusers', name)));
  const { graph } = prepareModel(withTexts ? loadWithTextEncoders(source) : loadModelFrom(source));
  const layers = findLinearLayers(graph);
  const size = (path: string) => {
    const { inFeatures, outFeatures } = layers.find((l) => l.path === path)!;
    return { in: inFeatures, out: outFeatures };
  };
  return { graph, layers, size };
}

const read = (path: string, { graph, layers }: ReturnType<typeof unet>) =>
  fitAdapter(readAdapterFolder(path), graph, layers);

describe('names of kohya’s scripts', () => {
  it('are those of its conversion for SDXL', () => {
    const blocks = blocksOf(Object.keys(names));
    expect(blocks).toEqual({ resnets: 2 });
    const found = Object.keys(names).map((path) => [path, kohyaName(path, true, blocks)]);
    expect(Object.fromEntries(found)).toEqual(names);
  });

  it('have diffusers’ paths for SD, and number the text encoders of SDXL', () => {
    const to = 'down_blocks.0.attentions.1.transformer_blocks.0.attn2.to_out.0';
    expect(kohyaName(to, false, undefined)).toBe(
      'lora_unet_down_blocks_0_attentions_1_transformer_blocks_0_attn2_to_out_0',
    );
    const q = 'text_model.encoder.layers.11.self_attn.q_proj';
    const joined = 'text_model_encoder_layers_11_self_attn_q_proj';
    expect(kohyaName(`text_encoder.${q}`, false, undefined)).toBe(`lora_te_${joined}`);
    expect(kohyaName(`text_encoder.${q}`, true, undefined)).toBe(`lora_te1_${joined}`);
    expect(kohyaName(`text_encoder_2.${q}`, true, undefined)).toBe(`lora_te2_${joined}`);
  });

  it('exist for no layer that programs do not read, nor for uneven blocks of SDXL', () => {
    expect(kohyaName('text_encoder_2.text_projection', true, undefined)).toBeUndefined();
    expect(kohyaName('encoder_hid_proj', false, undefined)).toBeUndefined();
    const uneven = ['down_blocks.0.resnets.0.time_emb_proj', 'down_blocks.1.resnets.1.time_emb_proj'];
    expect(blocksOf(uneven)).toBeUndefined();
    expect(kohyaName(uneven[0], true, blocksOf(uneven))).toBeUndefined();
  });

  it.each(['sd', 'sdxl'])('lead back to each layer in both spellings: %s', (name) => {
    const { layers } = unet(name, true);
    const paths = kohyaPaths(layers.map((l) => l.path));
    const blocks = blocksOf(layers.map((l) => l.path));
    const adaptable = layers.filter((l) => kohyaName(l.path, false, blocks) !== undefined);
    expect(adaptable.length).toBeGreaterThan(10);
    for (const { path } of adaptable)
      for (const isXl of [false, true]) expect(paths.get(kohyaName(path, isXl, blocks)!)).toBe(path);
  });

  it('tell modules of text encoders apart', () => {
    const inTexts = ['lora_te_text_model_x', 'lora_te2_y', 'text_encoder.a.b'];
    expect([...inTexts, 'lora_unet_te', 'down_blocks.0'].filter(isInTextEncoder)).toEqual(inTexts);
  });
});

describe('a LoRA of kohya’s scripts', () => {
  const Q = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q';
  const MID = 'mid_block.attentions.0.transformer_blocks.0.attn2.to_v';

  it('is found on the layers of a pipeline, with each alpha, or the rank where there is none', () => {
    const sd = unet('sd');
    const path = lora({
      lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q: {
        ...sd.size(Q),
        rank: 4,
        alpha: 2,
      },
      lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_v: { ...sd.size(MID), rank: 2 },
    });
    const { adapters, spec, parameters } = read(path, sd);
    expect(spec).toMatchObject({ method: 'lora', useRslora: false });
    const own = adapters.map(({ layer, spec }) => {
      const { rank, alpha } = spec as unknown as { rank: number; alpha: number };
      return [layer.path, rank, alpha];
    });
    expect(own.sort()).toEqual([
      [Q, 4, 2],
      [MID, 2, 2],
    ]);
    expect(parameters.get(`${Q}.A`)).toHaveLength(4 * sd.size(Q).in);
    expect(parameters.get(`${Q}.B`)).toHaveLength(4 * sd.size(Q).out);
  });

  it('may adapt convolutions of single pixels, as those of SD before and after its transformers', () => {
    const source = modelSource(resolve('test/fixtures/diffusers/sd'));
    const stored = prepareModel(loadModelFrom(source));
    const module = { in: 8, out: 8, rank: 2, kernel: [1, 1] };
    const from = readAdapterFolder(
      lora({
        lora_unet_down_blocks_0_attentions_0_proj_in: module,
        lora_unet_down_blocks_0_attentions_0_proj_out: module,
      }),
    );
    const model = withAdaptedConvolutions(stored, [from]);
    const convolutions = (graph: typeof model.graph) => graph.nodes.filter((n) => n.opType === 'Conv').length;
    expect(convolutions(model.graph)).toBe(convolutions(stored.graph) - 2);
    const { adapters } = fitAdapter(from, model.graph, findLinearLayers(model.graph));
    expect(
      adapters.map((a) => [a.layer.path, a.layer.inFeatures, a.layer.outFeatures, a.layer.hasBias]),
    ).toEqual(['in', 'out'].map((end) => [`down_blocks.0.attentions.0.proj_${end}`, 8, 8, true]));
    // Without such adapters, the model stays as it is.
    expect(withAdaptedConvolutions(stored, [])).toBe(stored);
  });

  it('may have the original names of SDXL’s blocks, and text encoders', () => {
    const sdxl = unet('sdxl', true);
    const blocks = blocksOf(sdxl.layers.map((l) => l.path));
    const paths = sdxl.layers
      .map((l) => l.path)
      .filter((path) => /attn2\.to_k$|^text_encoder(_2)?\..*layers\.0\.self_attn\.v_proj$/.test(path));
    const module = (path: string) => ({ ...sdxl.size(path), rank: 2, alpha: 1 });
    const named = Object.fromEntries(paths.map((path) => [kohyaName(path, true, blocks)!, module(path)]));
    expect(Object.keys(named).some((name) => name.includes('_input_blocks_'))).toBe(true);
    const { adapters, spec } = read(lora(named), sdxl);
    expect(adapters.map((a) => a.layer.path).sort()).toEqual(paths.sort());
    expect(spec).toMatchObject({ rank: 2, alpha: 1 });
  });

  it('is refused with its text encoder where only the U-Net is adapted', () => {
    const sd = unet('sd');
    const name = 'lora_te_text_model_encoder_layers_0_self_attn_q_proj';
    expect(() => read(lora({ [name]: { in: 4, out: 4, rank: 2 } }), sd)).toThrow(
      `adapts a text encoder too (${name})`,
    );
  });

  it('is refused for another model, with the nearest names', () => {
    const name = 'lora_unet_down_blocks_0_attentions_0_transformer_blocks_7_attn1_to_q';
    expect(() => read(lora({ [name]: { in: 4, out: 4, rank: 2 } }), unet('sd'))).toThrow(
      /adapts 1 module that the model does not have, such as lora_unet_\S+ \(nearest: lora_unet_/,
    );
  });

  it.each([
    ['hada_w1_a', 'LoHa'],
    ['lokr_w1', 'LoKr'],
    ['dora_scale', 'DoRA'],
    ['lora_mid.weight', 'Tucker'],
    ['diff', 'whole weights'],
  ])('is refused with the tensors of another method: %s', (part, what) => {
    const more = { [`lora_unet_x.${part}`]: { dims: [2, 2], data: new Float32Array(4) } };
    const path = lora({ lora_unet_x: { in: 4, out: 4, rank: 2 } }, more);
    expect(() => readAdapterFolder(path)).toThrow(new RegExp(`contains .*${what}.*: lora_unet_x\\.${part}`));
  });

  it('is refused with a convolution of several pixels, and with tensors of no known name', () => {
    const wide = lora({ lora_unet_x: { in: 4, out: 4, rank: 2, kernel: [3, 3] } });
    expect(() => readAdapterFolder(wide)).toThrow(/a convolution of 3 × 3 pixels: lora_unet_x\.lora_down/);
    const other = lora(
      { lora_unet_x: { in: 4, out: 4, rank: 2 } },
      {
        emb_params: { dims: [1], data: new Float32Array(1) },
      },
    );
    expect(() => readAdapterFolder(other)).toThrow(
      /does not belong to a LoRA of kohya’s scripts: emb_params/,
    );
  });
});
