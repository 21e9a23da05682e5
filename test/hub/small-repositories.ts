import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { filesBelow } from '../../src/files/tree';
import { quoted, writeParquet } from '../unit/data/table/duckdb';
import { commitOf, largeFile, smallFile, type Repository } from './repository';

const fixture = (path: string) => readFileSync(join(resolve('test/fixtures'), path));

/** A BERT of transformers with a tokenizer, as a repository has it, beside weights that nothing needs. */
export const smallBert = (id = 'an-org/bert'): Repository => ({
  kind: 'model',
  id,
  commit: commitOf(id),
  refs: ['main'],
  task: 'fill-mask',
  tags: ['license:apache-2.0'],
  files: [
    smallFile('README.md', '---\nlicense: apache-2.0\n---\n\n# BERT\n\nA small one, for tests.\n'),
    smallFile('config.json', fixture('hf/bert/config.json')),
    smallFile('tokenizer.json', fixture('data/wordpiece/tokenizer.json')),
    smallFile('tokenizer_config.json', fixture('data/wordpiece/tokenizer_config.json')),
    largeFile('model.safetensors', fixture('hf/bert/model.safetensors')),
    largeFile('pytorch_model.bin', Buffer.alloc(5000, 1)),
  ],
});

/** A small random pipeline of the SDXL kind, beside what nothing here needs. */
export const smallPipeline = (id = 'an-org/pipeline'): Repository => ({
  kind: 'model',
  id,
  commit: commitOf(id),
  refs: ['main'],
  task: 'text-to-image',
  tags: ['license:openrail++'],
  files: [
    smallFile('README.md', '---\nlicense: openrail++\n---\n\n# A pipeline\n\nA small one, for tests.\n'),
    ...filesBelow(resolve('test/fixtures/diffusers/sdxl')).map((path) => {
      const bytes = fixture(join('diffusers/sdxl', path));
      return path.endsWith('.safetensors') ? largeFile(path, bytes) : smallFile(path, bytes);
    }),
    largeFile('sd_xl_base_1.0.safetensors', Buffer.alloc(5000, 1)),
    largeFile('unet/diffusion_pytorch_model.fp16.safetensors', Buffer.alloc(5000, 2)),
    smallFile('safety_checker/config.json', '{}'),
  ],
});

/** nyu-mll/glue with a few rows of RTE and MRPC, as the hub converts them. @param folder for temporary files */
export async function smallGlue(folder: string): Promise<Repository> {
  const file = async (path: string, rows: number, salt: number, hidden = false) =>
    largeFile(path, await pairs(join(folder, `${salt}.parquet`), rows, salt, hidden));
  return {
    kind: 'dataset',
    id: 'nyu-mll/glue',
    commit: commitOf('glue'),
    refs: ['refs/convert/parquet', 'main'],
    tags: ['license:other'],
    files: [
      smallFile('README.md', '---\nlicense: other\n---\n\n# GLUE\n\nA few rows, for tests.\n'),
      await file('rte/train/0000.parquet', 64, 0),
      await file('rte/validation/0000.parquet', 16, 2),
      await file('rte/test/0000.parquet', 8, 3, true),
      await file('mrpc/train/0000.parquet', 8, 4),
    ],
  };
}

/** Rows as RTE has them there: pairs of texts, labels with names, those of the test set hidden. */
export async function pairs(path: string, rows: number, salt: number, hidden: boolean): Promise<Buffer> {
  const words = ['the cat played', 'unaffable cats', 'the play !', 'playing , the cats'];
  const values = Array.from({ length: rows }, (_, i) => {
    const [one, two] = [words[(i + salt) % 4], words[(i * 3 + salt) % 4]];
    return `(${quoted(one)}, ${quoted(two)}, ${hidden ? -1 : (i + salt) % 2}::bigint, ${i}::integer)`;
  });
  const label = { names: ['entailment', 'not_entailment'], _type: 'ClassLabel' };
  await writeParquet(
    path,
    `select * from (values ${values.join(', ')}) t(sentence1, sentence2, label, idx)`,
    `kv_metadata {huggingface: ${quoted(JSON.stringify({ info: { features: { label } } }))}}`,
  );
  return readFileSync(path);
}
