import { readFileSync, rmSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { DType } from '../../../src/graph/dtype';
import { loadModel } from '../../../src/graph/file/load';
import { columnWeights } from '../../../src/graph/int8/frozen-products';
import { findLinearLayers, type LinearLayer } from '../../../src/graph/layers/linear';
import { isFileRef, type Model, type Tensor } from '../../../src/graph/model';
import { floatValues, tensorValues } from '../../../src/graph/values';
import { quantizedCopy } from '../../../src/quantize/cached';
import { transposedCopy } from '../../../src/quantize/transposed';
import { fixture } from '../../reference/files';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('int8-columns');
const GIB = 2 ** 30;

function copyOf(model: Model): (values: Tensor) => Tensor {
  const found = transposedCopy(model, GIB);
  if (typeof found === 'string') throw new Error(found);
  return found;
}

describe.each([
  ['of weights (in, out)', fixture('bert.onnx')],
  ['of weights (out, in)', fixture('../hf/bert')],
])('a model in int8 columns, %s', (_, path) => {
  const source = modelSource(path);
  const before = findLinearLayers(loadModelFrom(source).graph);
  const model = loadModel(quantizedCopy(source, 'int8', folder));
  const weights = columnWeights(model.graph);

  it('has the same layers, each output with its own scale', () => {
    const layers = findLinearLayers(model.graph);
    const facts = ({ path, inFeatures, outFeatures, hasBias, calls }: LinearLayer) =>
      [path, inFeatures, outFeatures, hasBias, calls.length].join();
    expect(layers.map(facts)).toEqual(before.map(facts));
    const rounded = layers.filter(({ weight }) => weight.dtype === DType.int8);
    expect(rounded.length).toBeGreaterThan(3);
    expect(weights.size).toBe(rounded.length);
    for (const { path, dequantize } of rounded) {
      const { weight, transposed, inFeatures, outFeatures } = before.find((l) => l.path === path)!;
      const [found, stored] = [dequantize!(), floatValues(weight)];
      for (let o = 0; o < outFeatures; o++) {
        const row = Array.from({ length: inFeatures }, (__, i) =>
          transposed ? stored[o * inFeatures + i]! : stored[i * outFeatures + o]!,
        );
        const scale = Math.fround(Math.max(...row.map(Math.abs)) / 127);
        expect([...found.subarray(o * inFeatures, (o + 1) * inFeatures)]).toEqual(
          row.map((w) => Math.fround((Math.round(w / scale) + 0) * scale)),
        );
      }
    }
  });

  it('has a transposed copy beside it if memory holds both', () => {
    const turned = copyOf(model);
    for (const { values } of weights.values()) {
      const copy = turned(values);
      const [rows, columns] = values.dims;
      expect(copy.dims).toEqual([columns, rows]);
      const [a, b] = [values, copy].map((t: Tensor) => tensorValues(t) as Int8Array);
      for (let r = 0; r < rows!; r++)
        for (let c = 0; c < columns!; c++)
          if (a![r * columns! + c] !== b![c * rows! + r]) throw new Error(`${values.name} ${r} ${c}`);
    }
    const copy = turned([...weights.values()][0]!.values).data;
    if (!isFileRef(copy)) throw new Error('The copy is in memory.');
    const written = statSync(copy.path).mtimeMs;
    transposedCopy(model, GIB);
    expect(statSync(copy.path).mtimeMs).toBe(written);
    const bytes = readFileSync(copy.path);
    rmSync(copy.path);
    transposedCopy(model, GIB);
    expect(readFileSync(copy.path).equals(bytes)).toBe(true);
  });
});

describe('a transposed copy', () => {
  const model = loadModel(quantizedCopy(modelSource(fixture('bert.onnx')), 'int8', folder));
  const size = [...columnWeights(model.graph).values()].reduce(
    (sum, { values }) => sum + values.dims[0]! * values.dims[1]!,
    0,
  );

  it('is left out, for a stated reason, if memory holds one copy alone', () => {
    expect(transposedCopy(model, 2 * size)).toMatch(
      /^Two copies of .* would take more than 70% of the .* available\.$/,
    );
  });

  it('is refused with the whole model if memory does not hold it', () => {
    expect(() => transposedCopy(model, size - 1)).toThrow(
      expect.objectContaining({
        kind: 'memory',
        message: expect.stringContaining('of memory are available') as string,
        hint: expect.stringContaining('set model.quantize to 4') as string,
      }),
    );
  });
});
