import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../src/data/text/tokenizer';
import { loadModel } from '../../../src/graph/file/load';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import type { ValueInfo } from '../../../src/graph/model';
import { prepareModel } from '../../../src/graph/prepare';

const DEMO = join(import.meta.dirname, '../../../demo');
const MODELS = join(DEMO, 'models');
const read = (name: string) => prepareModel(loadModel(join(MODELS, name, 'model.onnx')));
const shapes = (values: readonly ValueInfo[]) => values.map((v) => [v.name, v.shape]);

const size = (folder: string, pattern: RegExp): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile() && pattern.test(f.name))
    .reduce((sum, f) => sum + statSync(join(f.parentPath, f.name)).size, 0);

describe('the demo models', () => {
  it('stay small enough to commit and to package', () => {
    expect(size(MODELS, /\.onnx$/)).toBeLessThan(8e6);
    for (const data of [/^fashion-.*\.parquet$/, /^debian-summaries-/]) {
      expect(size(join(DEMO, 'data'), data)).toBeGreaterThan(1e5);
      expect(size(join(DEMO, 'data'), data)).toBeLessThan(2e6);
    }
  });

  it('have the module names of a ViT on the Hugging Face hub', () => {
    const { graph } = read('fashion-vit');
    const layer = (i: number) =>
      ['attention.attention.query', 'attention.attention.key', 'attention.attention.value'].concat(
        ['attention.output.dense', 'intermediate.dense', 'output.dense'],
      ).map((name) => `vit.encoder.layer.${i}.${name}`); // prettier-ignore
    const paths = findLinearLayers(graph).map((l) => l.path);
    expect(paths.toSorted()).toEqual([0, 1, 2, 3, 4, 5].flatMap(layer).sort());
    expect(shapes(graph.inputs)).toEqual([['pixel_values', ['batch', 3, 28, 28]]]);
    expect(shapes(graph.outputs)).toEqual([['last_hidden_state', ['batch', 50, 96]]]);
  });

  it('have the module names of a LLaMA on the Hugging Face hub', () => {
    const { graph } = read('debian-llama');
    const layer = (i: number) => [
      ...['q', 'k', 'v', 'o'].map((name) => `model.layers.${i}.self_attn.${name}_proj`),
      ...['gate', 'up', 'down'].map((name) => `model.layers.${i}.mlp.${name}_proj`),
    ];
    const paths = findLinearLayers(graph).map((l) => l.path);
    expect(paths.toSorted()).toEqual(['lm_head', ...[0, 1, 2, 3].flatMap(layer)].sort());
    const open = ['batch', 'sequence'];
    expect(shapes(graph.inputs)).toEqual([['input_ids', open], ['attention_mask', open]]); // prettier-ignore
    expect(shapes(graph.outputs)).toEqual([['logits', [...open, 2048]]]);
  });

  it('have a tokenizer that equals the one of the Rust library on the demo data', async () => {
    const file = join(MODELS, 'debian-llama', 'tokenizer.json');
    const [ours, rust] = [loadTokenizer(file), RustTokenizer.fromFile(file)];
    const packed = readFileSync(join(DEMO, 'data', 'debian-summaries-validation.jsonl.gz'));
    const rows = gunzipSync(packed).toString('utf8').trimEnd().split('\n');
    const texts = rows.map((row) => JSON.parse(row) as { prompt: string; completion: string });
    expect(texts).toHaveLength(403);
    for (const { prompt, completion } of texts) {
      const theirs = await rust.encode(prompt + completion);
      expect([...ours.encodeStart(prompt + completion, 1000)]).toEqual(theirs.getIds());
    }
    expect([ours.endId, ours.vocabSize]).toEqual([1, 2048]);
  });
});
