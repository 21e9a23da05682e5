import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { HostTensor, HostTensors } from '../../../src/graph/tensor-infos';
import type { Model } from '../../../src/graph/model';
import { decodeModel } from './decode-model';
import { decodeTensor } from '../../../src/graph/onnx/tensor';
import { tensorValues } from '../../../src/graph/values';

interface Packed {
  name: string;
  model: string;
  inputs: string[];
  outputs: string[];
}

const fixture = new URL('../../fixtures/onnx-operators/cases.json.gz', import.meta.url);

/** ONNX's operator tests: models of one operator, with inputs and expected outputs. */
export const CASES = (JSON.parse(gunzipSync(readFileSync(fixture)).toString()) as { cases: Packed[] }).cases;

/** Loads one of the tests. */
export function unpack(c: Packed): { model: Model; feeds: HostTensors; want: HostTensors } {
  const model = decodeModel(Buffer.from(c.model, 'base64'));
  // The few with opset 22 differ only in a type (see collect.mjs).
  if (model.opsets.get('') === 22) model.opsets.set('', 21);
  const { inputs, outputs } = model.graph;
  return { model, feeds: named(inputs, c.inputs), want: named(outputs, c.outputs) };
}

const named = (names: { name: string }[], tensors: string[]): HostTensors =>
  Object.fromEntries(tensors.map((t, i) => [names[i].name, tensor(t)]));

function tensor(base64: string): HostTensor {
  const t = decodeTensor(Buffer.from(base64, 'base64'));
  return { dtype: t.dtype, dims: t.dims, data: tensorValues(t) };
}
