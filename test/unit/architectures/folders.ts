import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBfloat16, toHalf } from '../../../src/graph/number-formats';
import { normal } from '../../../src/base/random';

export type StoredType = 'F32' | 'F16' | 'BF16' | 'I64';
const BYTES: Record<StoredType, number> = { F32: 4, F16: 2, BF16: 2, I64: 8 };

/** A tensor to be written; its values are random unless given. */
export interface Stored {
  dims: number[];
  dtype?: StoredType;
  values?: number[];
}

/** A safetensors file's bytes. */
export function safetensors(tensors: Record<string, Stored>): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  const parts: Buffer[] = [];
  let end = 0;
  Object.entries(tensors).forEach(([name, { dims, dtype = 'F32', values }], k) => {
    const count = dims.reduce((a, b) => a * b, 1);
    const all = values ?? Array.from({ length: count }, (_, i) => 0.2 * normal(3, k, i));
    const bytes = encoded(dtype, all);
    header[name] = { dtype, shape: dims, data_offsets: [end, (end += count * BYTES[dtype])] };
    parts.push(bytes);
  });
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}

function encoded(dtype: StoredType, values: number[]): Buffer {
  const array =
    dtype === 'F32'
      ? Float32Array.from(values)
      : dtype === 'I64'
        ? BigInt64Array.from(values, (v) => BigInt(Math.round(v)))
        : Uint16Array.from(values, dtype === 'F16' ? toHalf : toBfloat16);
  return Buffer.from(array.buffer);
}

export const TINY = { hidden: 8, inner: 12, vocabulary: 11, positions: 7, layers: 1 };

/** A config.json for `bertTensors`. */
export const bertConfig = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  model_type: 'bert',
  hidden_size: TINY.hidden,
  intermediate_size: TINY.inner,
  num_attention_heads: 2,
  num_hidden_layers: TINY.layers,
  vocab_size: TINY.vocabulary,
  max_position_embeddings: TINY.positions,
  type_vocab_size: 1,
  ...more,
});

/** The weights of a tiny BERT. */
export function bertTensors(dtype: StoredType = 'F32', prefix = 'bert.'): Record<string, Stored> {
  const { hidden, inner, vocabulary, positions, layers } = TINY;
  const all: Record<string, number[]> = {
    'embeddings.word_embeddings.weight': [vocabulary, hidden],
    'embeddings.position_embeddings.weight': [positions, hidden],
    'embeddings.token_type_embeddings.weight': [1, hidden],
    'embeddings.LayerNorm.weight': [hidden],
    'embeddings.LayerNorm.bias': [hidden],
  };
  const dense = (name: string, to: number, from: number) => {
    all[`${name}.weight`] = [to, from];
    all[`${name}.bias`] = [to];
  };
  for (let i = 0; i < layers; i++) {
    const at = `encoder.layer.${i}`;
    for (const name of ['query', 'key', 'value']) dense(`${at}.attention.self.${name}`, hidden, hidden);
    dense(`${at}.attention.output.dense`, hidden, hidden);
    dense(`${at}.intermediate.dense`, inner, hidden);
    dense(`${at}.output.dense`, hidden, inner);
    for (const name of [`${at}.attention.output.LayerNorm`, `${at}.output.LayerNorm`]) {
      all[`${name}.weight`] = [hidden];
      all[`${name}.bias`] = [hidden];
    }
  }
  return Object.fromEntries(Object.entries(all).map(([name, dims]) => [prefix + name, { dims, dtype }]));
}

/** Model folders below one temporary folder. */
export class Folders {
  readonly root = mkdtempSync(join(tmpdir(), 'aurora-hub-'));
  private next = 0;

  /** A folder with these files; objects are written as JSON. */
  make(files: Record<string, Buffer | string | Record<string, unknown>>): string {
    const folder = join(this.root, `model-${this.next++}`);
    mkdirSync(folder);
    for (const [name, content] of Object.entries(files)) {
      const bytes =
        Buffer.isBuffer(content) || typeof content === 'string' ? content : JSON.stringify(content);
      writeFileSync(join(folder, name), bytes);
    }
    return folder;
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}
