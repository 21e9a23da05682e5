import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { AuroraError } from '../../../src/base/errors';
import { bertConfig, bertTensors, Folders, safetensors } from './folders';
import { LLAMA, llamaTensors } from './llama';

const folders = new Folders();
afterAll(() => folders.remove());

const bert = { 'config.json': bertConfig(), 'model.safetensors': safetensors(bertTensors()) };

/** The one error of a model, which names its folder and a next step. */
function refusal(folder: string): string {
  try {
    loadModelFrom(modelSource(folder), 'structure');
  } catch (e) {
    expect(e).toBeInstanceOf(AuroraError);
    expect((e as AuroraError).hint).toBeTruthy();
    expect((e as AuroraError).message).toContain(folder);
    return (e as AuroraError).message;
  }
  throw new Error('The model was read.');
}

/** A file of so many bytes, all but the first of them holes. */
function sparse(path: string, begin: Buffer, size: number): void {
  const file = openSync(path, 'w');
  writeSync(file, begin);
  ftruncateSync(file, size);
  closeSync(file);
}

describe('a hostile folder costs no memory and gives one error', () => {
  it.each([
    [{ num_hidden_layers: 1_000_000 }, /num_hidden_layers is 1000000, more layers than any model has/],
    [{ num_hidden_layers: 10_000 }, /encoder\.layer\.1\./],
    [{ num_hidden_layers: 1e12 }, /num_hidden_layers is 1000000000000, not a positive integer/],
    [{ num_hidden_layers: -12 }, /num_hidden_layers is -12/],
    [{ vocab_size: 2 ** 31 - 1 }, /word_embeddings\.weight has the shape/],
    [{ vocab_size: 2 ** 60 }, /vocab_size is/],
    [{ hidden_size: 2 ** 30, num_attention_heads: 1 }, /has the shape/],
    [{ intermediate_size: 2 ** 31 - 1 }, /has the shape/],
    [{ max_position_embeddings: 2 ** 31 - 1 }, /position_embeddings\.weight has the shape/],
    [{ num_attention_heads: 2 ** 31 - 1 }, /cannot be divided/],
    [{ num_hidden_layers: { __proto__: null } }, /num_hidden_layers is \{\}/],
    [{ model_type: '__proto__' }, /model_type is "__proto__"/],
    [{ hidden_act: 'constructor' }, /hidden_act is "constructor"/],
  ])('BERT with %j', (more, message) =>
    expect(refusal(folders.make({ ...bert, 'config.json': bertConfig(more) }))).toMatch(message),
  );

  it.each([
    [{ head_dim: 2_000_000_000 }, /heads of 2000000000 features/],
    [
      { num_attention_heads: 2_000_000_000, num_key_value_heads: 1, hidden_size: 2_000_000_000 },
      /has the shape|do not fit/,
    ],
    [{ num_hidden_layers: 10_000 }, /layers\.1\./],
    [{ model_type: 'mistral', num_hidden_layers: 2 ** 31 - 1 }, /more layers than any model/],
    [
      {
        max_position_embeddings: -1,
        rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
      },
      /max_position_embeddings is -1/,
    ],
  ])('Llama with %j', (more, message) => {
    const files = { 'config.json': { ...LLAMA, ...more }, 'model.safetensors': safetensors(llamaTensors()) };
    expect(refusal(folders.make(files))).toMatch(message);
  });

  it('with a header, a config.json or an index of a hundred megabytes', () => {
    const folder = folders.make(bert);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(99_999_000n);
    sparse(join(folder, 'model.safetensors'), length, 100_000_000);
    expect(refusal(folder)).toMatch(/its header would have 99999000 bytes/);
    sparse(join(folder, 'config.json'), Buffer.from('{'), 100_000_000);
    expect(refusal(folder)).toMatch(/config\.json has 100,000,000 bytes/);
    const shards = folders.make({ 'config.json': bertConfig() });
    sparse(join(shards, 'model.safetensors.index.json'), Buffer.from('{'), 100_000_000);
    expect(refusal(shards)).toMatch(/index\.json has 100,000,000 bytes/);
  });

  it('with a header of 2⁶³ bytes, or entries that overlap the end of the file', () => {
    const folder = folders.make({ ...bert, 'model.safetensors': Buffer.alloc(16, 0x7f) });
    expect(refusal(folder)).toMatch(/its header would have/);
    const far = JSON.stringify({ 'bert.x': { dtype: 'F32', shape: [1], data_offsets: [0, 2 ** 52] } });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(far.length));
    const cut = folders.make({ ...bert, 'model.safetensors': Buffer.concat([length, Buffer.from(far)]) });
    expect(refusal(cut)).toMatch(/is truncated: the weight bert\.x ends at byte/);
  });

  it('with links in a circle, folders in place of files, or pipes that nobody writes to', () => {
    for (const name of ['config.json', 'model.safetensors']) {
      const folder = folders.make(bert);
      const path = join(folder, name);
      rmSync(path);
      symlinkSync(path, path);
      expect(refusal(folder)).toMatch(/without config\.json|neither model\.safetensors nor/);
      rmSync(path);
      mkdirSync(path);
      expect(refusal(folder)).toMatch(/is not a file/);
      if (process.platform === 'win32') continue;
      rmSync(path, { recursive: true });
      execFileSync('mkfifo', [path]);
      expect(refusal(folder)).toMatch(/is not a file/);
    }
  });
});
