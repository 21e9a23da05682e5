import { cpSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readHeader } from '../../../src/architectures/folder/weight-files';
import { writeTensors } from '../../../src/architectures/folder/weights';
import { folderWeights, loadModelFrom } from '../../../src/architectures/load';
import { modelSource, requireTextToImage } from '../../../src/architectures/model-source';
import { loadTextEncoder } from '../../../src/architectures/pipeline';
import type { Model } from '../../../src/graph/model';
import { tensorNumbers } from '../../../src/graph/values';
import { Folders } from './folders';

const FIXTURES = join(import.meta.dirname, '../../fixtures');
const folders = new Folders();
afterAll(() => folders.remove());

/** A copy of a folder in which names of weights are without `text_model.` and `vision_model.`. */
function bare(source: string): string {
  const folder = folders.make({});
  cpSync(source, folder, { recursive: true });
  shorten(join(folder, 'model.safetensors'));
  return folder;
}

function shorten(path: string): void {
  const tensors = [...readHeader(path).values()];
  writeTensors(
    `${path}.renamed`,
    tensors.map((t) => ({ ...t, name: t.name.replace(/^(?:text|vision)_model\./, '') })),
  );
  renameSync(`${path}.renamed`, path);
}

/** Nodes, names and values: all but the places of weights in their files. */
const contents = ({ graph }: Model) => ({
  nodes: graph.nodes,
  outputs: graph.outputs,
  weights: [...graph.initializers.values()].map((t) => ({ ...t, data: tensorNumbers(t) })),
});

describe('a CLIP model whose names are those of transformers 5.16', () => {
  it.each(['clip-text', 'clip-text-gelu', 'clip-vision'])('is the same model: %s', (name) => {
    const source = join(FIXTURES, 'hf', name);
    expect(contents(loadModelFrom(modelSource(bare(source))))).toEqual(
      contents(loadModelFrom(modelSource(source))),
    );
  });

  it('is exported under the names that its files use', () => {
    const { places } = folderWeights(join(bare(join(FIXTURES, 'hf/clip-text')), 'config.json'));
    const stored = places.get('text_model.final_layer_norm.weight')!;
    expect(stored.name).toBe('final_layer_norm.weight');
  });

  it('is the text encoder of a pipeline', () => {
    const folder = folders.make({});
    const source = join(FIXTURES, 'diffusers/sd');
    cpSync(source, folder, { recursive: true });
    shorten(join(folder, 'text_encoder/model.safetensors'));
    const [own, known] = [folder, source].map((path) =>
      loadTextEncoder(requireTextToImage(modelSource(path)).textEncoders[0]!.model),
    );
    expect(contents(own)).toEqual(contents(known));
  });

  it('that lacks a weight is reported by the name in its files', () => {
    const folder = bare(join(FIXTURES, 'hf/clip-text'));
    const path = join(folder, 'model.safetensors');
    const tensors = [...readHeader(path).values()].filter((t) => t.name !== 'final_layer_norm.weight');
    writeTensors(`${path}.less`, tensors);
    renameSync(`${path}.less`, path);
    expect(() => loadModelFrom(modelSource(folder), 'structure')).toThrow(
      /the weights have no final_layer_norm\.weight/,
    );
    expect(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))).toHaveProperty('model_type');
  });
});
