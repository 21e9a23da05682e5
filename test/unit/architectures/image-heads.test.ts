import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readHeader } from '../../../src/architectures/folder/weight-files';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { DType } from '../../../src/graph/dtype';
import { headLabels, headLayer } from '../../../src/graph/task-head';
import { host, runModel } from '../graph/onnx-models';
import { Folders, safetensors, type Stored } from './folders';
import { values } from './llama';

const folders = new Folders();
afterAll(() => folders.remove());

const HUB = join(import.meta.dirname, '../../fixtures/hf');
const LABELS = 3;

/** A classifier that reads so many features. */
const classifier = (module: string, from: number, seed: number): Record<string, Stored> => ({
  [`${module}.weight`]: { dims: [LABELS, from], values: values(LABELS * from, seed) },
  [`${module}.bias`]: { dims: [LABELS], values: values(LABELS, seed + 1) },
});

/** A folder of test/fixtures/hf whose class is another one, with its head in a second file. */
function withHead(name: string, architecture: string, head: Record<string, Stored>): string {
  const config = JSON.parse(readFileSync(join(HUB, name, 'config.json'), 'utf8')) as Record<string, unknown>;
  const own = join(HUB, name, 'model.safetensors');
  const kept = [...readHeader(own).keys()].filter((key) => !(key in head));
  const places = [
    ...kept.map((key) => [key, 'base.safetensors']),
    ...Object.keys(head).map((key) => [key, 'head.safetensors']),
  ];
  const folder = folders.make({
    'config.json': { ...config, architectures: [architecture], id2label: { 0: 'a', 1: 'b', 2: 'c' } },
    'head.safetensors': safetensors(head),
    'model.safetensors.index.json': { weight_map: Object.fromEntries(places) as Record<string, string> },
  });
  copyFileSync(own, join(folder, 'base.safetensors'));
  return folder;
}

/** The states of each image's tokens, and what the head says of them. */
async function answers(folder: string) {
  const model = loadModelFrom(modelSource(folder));
  const shape = (model.graph.inputs[0].shape as number[]).map((side) =>
    typeof side === 'number' ? side : 2,
  );
  const pixels = host(
    shape,
    values(
      shape.reduce((a, b) => a * b, 1),
      5,
    ),
    DType.float,
  );
  const out = await runModel(model, { pixel_values: pixels });
  const { dims, data } = out.last_hidden_state;
  const size = dims[2];
  const states = [0, 1].map((image) =>
    Array.from({ length: dims[1] }, (_, token) =>
      Array.from(data as Float32Array).slice(
        (image * dims[1] + token) * size,
        (image * dims[1] + token + 1) * size,
      ),
    ),
  );
  return { model, states, logits: Array.from(out.logits.data as Float32Array) };
}

const mean = (tokens: number[][]) =>
  tokens[0].map((_, i) => tokens.reduce((sum, t) => sum + t[i], 0) / tokens.length);
const applied = ({ [0]: weight, [1]: bias }: Stored[], x: number[]) =>
  bias.values!.map((b, o) => x.reduce((sum, v, i) => sum + v * weight.values![o * x.length + i], b));

describe('the classifier of a model of images', () => {
  it.each([
    ['vit-patches', 'ViTForImageClassification', 16, (t: number[][]) => t[0]],
    ['deit', 'DeiTForImageClassification', 16, (t: number[][]) => t[0]],
    ['dinov2', 'Dinov2ForImageClassification', 24, (t: number[][]) => [...t[0], ...mean(t.slice(1))]],
    [
      'dinov2-registers',
      'Dinov2WithRegistersForImageClassification',
      24,
      (t: number[][]) => [...t[0], ...mean(t.slice(4))],
    ],
    ['swin', 'SwinForImageClassification', 16, mean],
    ['clip-classifier', 'CLIPForImageClassification', 16, (t: number[][]) => mean(t.slice(1))],
    ['data2vec-vision', 'Data2VecVisionForImageClassification', 12, (t: number[][]) => t[0]],
  ])('%s as %s', async (name, architecture, from, read) => {
    const head = classifier('classifier', from, 20);
    const { model, states, logits } = await answers(withHead(name, architecture, head));
    const wanted = states.flatMap((tokens) => applied(Object.values(head), read(tokens)));
    logits.forEach((v, i) => expect(v).toBeCloseTo(wanted[i], 4));
    expect(logits).toHaveLength(wanted.length);
    expect(headLabels(model)).toEqual(['a', 'b', 'c']);
    expect(headLayer(model)).toEqual({ module: 'classifier', input: 'head_input', bias: true });
  });

  it('of a DeiT with its teacher is the mean of two, and is not trained further', async () => {
    const [own, taught] = [
      classifier('cls_classifier', 16, 30),
      classifier('distillation_classifier', 16, 40),
    ];
    const folder = withHead('deit', 'DeiTForImageClassificationWithTeacher', { ...own, ...taught });
    const { model, states, logits } = await answers(folder);
    const wanted = states.flatMap(([first, second]) => {
      const [a, b] = [applied(Object.values(own), first), applied(Object.values(taught), second)];
      return a.map((v, i) => (v + b[i]) / 2);
    });
    logits.forEach((v, i) => expect(v).toBeCloseTo(wanted[i], 4));
    expect(headLayer(model)).toBeUndefined();
  });
});
