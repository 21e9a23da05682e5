import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeSafetensors, type FloatTensor } from '../../../src/graph/file/safetensors';
import { LORA_FILE, METADATA } from '../../../src/peft/diffusers-lora-file';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { adapterModules } from '../../../src/peft/fit';
import { importedSpec } from '../../../src/peft/adapter-spec';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('diffusers');
let made = 0;

/** A file with A (rank, 4) and B (4, rank) under each pair of keys. */
function lora(
  pairs: Record<string, { names: [string, string]; rank: number }>,
  metadata?: Record<string, unknown>,
  more: Record<string, FloatTensor> = {},
): string {
  const tensors = new Map<string, FloatTensor>(Object.entries(more));
  for (const [module, { names, rank }] of Object.entries(pairs)) {
    tensors.set(`${module}${names[0]}`, { dims: [rank, 4], data: new Float32Array(4 * rank).fill(1) });
    tensors.set(`${module}${names[1]}`, { dims: [4, rank], data: new Float32Array(4 * rank).fill(2) });
  }
  const path = join(folder, `lora-${made++}`, LORA_FILE);
  mkdirSync(dirname(path), { recursive: true });
  const words = { format: 'pt', ...(metadata && { [METADATA]: JSON.stringify(metadata) }) };
  writeFileSync(path, encodeSafetensors(tensors, words));
  return path;
}
const NOW: [string, string] = ['.lora_A.weight', '.lora_B.weight'];

const Q = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q';
const OUT = 'mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0';
const TEXT = 'text_model.encoder.layers.0.self_attn.q_proj';

/** An imported adapter: the modules with their parts, and each one's alpha / rank. */
function imported(path: string) {
  const from = readAdapterFolder(path);
  const { modules } = adapterModules(from);
  const { spec, alphaOf } = importedSpec(from);
  const scales = [...modules].map(([module, parts]) => {
    const rank = parts.get('lora_B.weight')!.dims[1];
    return [module, alphaOf!(module) / rank] as const;
  });
  return { spec, modules, scales: Object.fromEntries(scales) };
}

describe('a LoRA in diffusers’ layout', () => {
  it('has the U-Net’s modules under their bare paths, and the text encoders’ with their names', () => {
    const of = { names: NOW, rank: 2 };
    const path = lora({ [`unet.${Q}`]: of, [`text_encoder.${TEXT}`]: of, [`text_encoder_2.${TEXT}`]: of });
    for (const place of [path, dirname(path)]) {
      const { modules, spec } = imported(place);
      expect([...modules.keys()].sort()).toEqual(
        [Q, `text_encoder.${TEXT}`, `text_encoder_2.${TEXT}`].sort(),
      );
      expect(spec).toMatchObject({ method: 'lora', rank: 2, alpha: 2, useRslora: false });
    }
  });

  it('has the rank as alpha where nothing says it, also with several ranks', () => {
    const path = lora({
      [`unet.${Q}`]: { names: NOW, rank: 2 },
      [`unet.${OUT}`]: { names: NOW, rank: 8 },
    });
    expect(imported(path).scales).toEqual({ [Q]: 1, [OUT]: 1 });
  });

  it('has the alpha of the metadata, with its patterns, and rsLoRA’s scale', () => {
    const modules = {
      [`unet.${Q}`]: { names: NOW, rank: 4 },
      [`unet.${OUT}`]: { names: NOW, rank: 4 },
      [`text_encoder.${TEXT}`]: { names: NOW, rank: 4 },
    };
    const { scales } = imported(
      lora(modules, {
        'unet.r': 4,
        'unet.lora_alpha': 8,
        'unet.alpha_pattern': { 'attn2.to_out.0': 1 },
        'text_encoder.r': 4,
        'text_encoder.lora_alpha': 6,
        'text_encoder.use_rslora': true,
      }),
    );
    expect(scales).toEqual({ [Q]: 2, [OUT]: 0.25, [`text_encoder.${TEXT}`]: 3 });
  });

  it('has the alpha of a key beside the matrices', () => {
    const more = { [`unet.${Q}.alpha`]: { dims: [], data: Float32Array.of(1) } };
    expect(imported(lora({ [`unet.${Q}`]: { names: NOW, rank: 2 } }, undefined, more)).scales).toEqual({
      [Q]: 0.5,
    });
  });

  it.each([
    ['unet.', Q, '.lora.down.weight', '.lora.up.weight', ''],
    ['unet.', Q, '_lora.down.weight', '_lora.up.weight', '.processor'],
    ['unet.', OUT, '_lora.down.weight', '_lora.up.weight', '.processor'],
    ['text_encoder.', TEXT, '.lora_linear_layer.down.weight', '.lora_linear_layer.up.weight', ''],
  ])('is read with older names, too: %s%s%s', (prefix, path, down, up, processor) => {
    const written =
      processor === '' ? path : path.replace('.to_', '.processor.to_').replace('to_out.0', 'to_out');
    const { modules } = imported(lora({ [`${prefix}${written}`]: { names: [down, up], rank: 2 } }));
    expect([...modules.keys()]).toEqual([prefix === 'unet.' ? path : prefix + path]);
  });

  it('is DoRA if it has magnitudes', () => {
    const more = { [`unet.${Q}.lora_magnitude_vector`]: { dims: [4], data: new Float32Array(4).fill(1) } };
    expect(imported(lora({ [`unet.${Q}`]: { names: NOW, rank: 2 } }, undefined, more)).spec.method).toBe(
      'dora',
    );
  });

  it('has a bias if its modules have one', () => {
    const more = { [`unet.${Q}.lora_B.bias`]: { dims: [4], data: new Float32Array(4).fill(1) } };
    const { spec, modules } = imported(lora({ [`unet.${Q}`]: { names: NOW, rank: 2 } }, undefined, more));
    expect(spec).toMatchObject({ method: 'lora', loraBias: true });
    expect([...modules.get(Q)!.keys()]).toContain('lora_B.bias');
  });

  it('is refused in the layout of other programs, and damaged', () => {
    const other = lora({ [`transformer.${Q}`]: { names: NOW, rank: 2 } });
    expect(() => readAdapterFolder(other)).toThrow(
      /which does not begin with unet\., text_encoder\., text_encoder_2\./,
    );
    const damaged = lora({ [`unet.${Q}`]: { names: NOW, rank: 2 } });
    writeFileSync(damaged, 'no');
    expect(() => readAdapterFolder(damaged)).toThrow(/is not a valid safetensors file/);
  });
});
