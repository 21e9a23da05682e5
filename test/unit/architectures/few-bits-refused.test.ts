import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import type { AuroraError } from '../../../src/base/errors';
import { writeTensors, type Written } from '../../fixtures/few-bits/layouts.mjs';
import { writeFolders } from '../../fixtures/few-bits/write.mjs';
import { scratchFolder } from '../../scratch';

const root = scratchFolder('few-bits-refused');
let made = 0;

function refusal(folder: string): AuroraError {
  const cache = join(root, `cache-${made++}`);
  try {
    loadModelFrom(modelSource(folder), 'float32', cache);
  } catch (e) {
    // No file of a part of the weights is left.
    expect(existsSync(cache) ? readdirSync(cache) : []).toEqual([]);
    return e as AuroraError;
  }
  throw new Error('It was read.');
}

/** A folder of a layout with other tensors. */
function changed(layout: string, change: (tensors: Record<string, Written>) => void, settings = {}): string {
  const { quantized } = writeFolders(join(root, `folder-${made++}`), layout, settings);
  const path = join(quantized, 'model.safetensors');
  const bytes = readFileSync(path);
  const end = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, end).toString()) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = Object.fromEntries(
    Object.entries(header).flatMap(([name, entry]) => {
      if (name === '__metadata__') return [];
      const [from, to] = entry.data_offsets.map((at) => end + at);
      return [[name, { dtype: entry.dtype, dims: entry.shape, bytes: bytes.subarray(from, to) }]];
    }),
  );
  change(tensors);
  writeTensors(path, tensors);
  return quantized;
}

const none = () => {};
const Q = 'model.layers.0.self_attn.q_proj';

describe('a quantization_config is refused by the name of its setting', () => {
  it.each([
    ...['hqq', 'fp8', 'compressed-tensors', 'torchao', 'eetq', 'quanto', 'aqlm', 'auto-round', 'higgs'].map(
      (method) =>
        ['gptq-4', { quant_method: method }, `quant_method is "${method}"`, '"gptq", "awq"'] as const,
    ),
    ['gptq-4', { bits: 5 }, 'bits is 5', '4, 8, 2, 3'],
    ['gptq-4', { checkpoint_format: 'marlin' }, 'checkpoint_format is "marlin"', '"gptq_v2"'],
    ['gptq-4', { is_marlin_format: true }, 'is_marlin_format is true', 'false'],
    ['gptq-4', { pack_dtype: 'int64' }, 'pack_dtype is "int64"', '"int32"'],
    ['gptq-4', { rotation: 'hadamard' }, 'rotation is "hadamard"', 'null'],
    ['awq', { version: 'gemv' }, 'version is "gemv"', '"gemm"'],
    ['awq', { version: 'gemv_fast' }, 'version is "gemv_fast"', '"gemm"'],
    ['awq', { backend: 'llm-awq' }, 'backend is "llm-awq"', '"autoawq"'],
    ['awq', { bits: 8 }, 'bits is 8', '4'],
    ['int8', { llm_int8_has_fp16_weight: true }, 'llm_int8_has_fp16_weight is true', 'false'],
  ] as const)('%s with %o', (layout, settings, words, hint) => {
    const error = refusal(changed(layout, none, settings));
    expect(error).toMatchObject({ kind: 'model', hint: expect.stringContaining(hint) as string });
    expect(error.message).toContain(`config.json: quantization_config.${words}, which is not supported`);
    expect(error.hint).toContain('"quantize": 4');
  });

  it('and one of an early compressed-tensors', () => {
    const { floats } = writeFolders(join(root, 'compressed'), 'gptq-4');
    const path = join(floats, 'config.json');
    const config = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...config, compression_config: { format: 'pack-quantized' } }));
    expect(refusal(floats).message).toContain('compression_config is');
  });

  it('is read without a method as early versions of transformers wrote it', () => {
    const folder = changed('nf4', none, { quant_method: undefined });
    expect(loadModelFrom(modelSource(folder), 'structure').graph.nodes.map((n) => n.opType)).toContain(
      'MatMulBnb4',
    );
  });
});

describe('weights in few bits are refused where they are not as their layout has them', () => {
  const drop = (name: string) => (tensors: Record<string, Written>) => delete tensors[name];
  const octets = (values: number[]): Written => ({
    dtype: 'U8',
    dims: [values.length],
    bytes: Buffer.from(values),
  });

  it.each([
    ['gptq-4', 'qweight is there without', drop(`${Q}.scales`), {}],
    ['gptq-4', 'is there without g_idx', drop(`${Q}.g_idx`), { desc_act: true }],
    [
      'gptq-4-order',
      'does not have its groups in order, but quantization_config.desc_act is false',
      none,
      { desc_act: false },
    ],
    ['gptq-4', 'qzeros is I32 of the shape', (t) => (t[`${Q}.qzeros`].dims = [1, 16]), {}],
    [
      'gptq-4',
      'has the shape [64, 64], but according to config.json',
      (t) =>
        (t[`model.layers.0.mlp.up_proj.qweight`] = t[`${Q}.qweight`]) &&
        Object.assign(
          t,
          Object.fromEntries(
            ['qzeros', 'scales', 'g_idx'].map((n) => [`model.layers.0.mlp.up_proj.${n}`, t[`${Q}.${n}`]]),
          ),
        ),
      {},
    ],
    ['awq', 'scales an activation', (t) => (t['model.layers.0.mlp.act.scales'] = t['model.norm.weight']), {}],
    ['nf4', 'weight.absmax is there without', drop(`${Q}.weight.quant_map`), {}],
    [
      'nf4',
      'quant_map is not the table of its type',
      (t) => (t[`${Q}.weight.quant_map`].bytes = Buffer.alloc(64)),
      {},
    ],
    [
      'nf4',
      'does not state the shape and the blocks',
      (t) => (t[`${Q}.weight.quant_state.bitsandbytes__nf4`] = octets([123, 125])),
      {},
    ],
    ['int8', 'weight_format states another order', (t) => (t[`${Q}.weight_format`].bytes = Buffer.of(2)), {}],
  ] as [string, string, (tensors: Record<string, Written>) => void, object][])(
    '%s: %s',
    (layout, words, change, settings) => {
      const error = refusal(changed(layout, change, settings));
      expect(error.kind).toBe('model');
      expect(error.message).toContain(words);
      expect(error.hint).toBeTruthy();
    },
  );

  it('a linear layer in floats that bitsandbytes quantizes when it loads, unless it is left out', () => {
    const inFloats = (tensors: Record<string, Written>) => {
      for (const name of Object.keys(tensors)) if (name.startsWith(`${Q}.`)) delete tensors[name];
      tensors[`${Q}.weight`] = { dtype: 'F16', dims: [64, 64], bytes: Buffer.alloc(2 * 64 * 64) };
    };
    const { message, hint } = refusal(changed('nf4', inFloats));
    expect(message).toContain(`the weight of ${Q} is stored in F16`);
    expect(hint).toContain('quantization_config');
    const folder = changed('nf4', inFloats, { llm_int8_skip_modules: ['lm_head', 'self_attn.q_proj'] });
    expect(
      loadModelFrom(modelSource(folder), 'structure').graph.initializers.has(
        'layers.0.self_attn.q_proj.weight',
      ),
    ).toBe(true);
  });
});
