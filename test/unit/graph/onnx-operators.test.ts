import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../../../src/engine/engine';
import { decodeModel } from '../../../src/graph/onnx/decode';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { decodeTensor } from '../../../src/graph/onnx/tensor';
import { upgradeModel } from '../../../src/graph/upgrade/upgrade';
import { tensorValues } from '../../../src/graph/values';
import { difference, runModel } from './onnx-models';

interface Case {
  name: string;
  model: string;
  inputs: string[];
  outputs: string[];
}

const fixture = new URL('../../fixtures/onnx-operators/cases.json.gz', import.meta.url);
const { cases } = JSON.parse(gunzipSync(readFileSync(fixture)).toString()) as { cases: Case[] };

function tensor(base64: string): HostTensor {
  const t = decodeTensor(Buffer.from(base64, 'base64'));
  return { dtype: t.dtype, dims: t.dims, data: tensorValues(t) };
}

const named = (names: { name: string }[], tensors: string[]) =>
  Object.fromEntries(tensors.map((t, i) => [names[i].name, tensor(t)]));

describe("ONNX's own operator tests, read, upgraded, written and run", () => {
  it('are all there', () => expect(cases).toHaveLength(353));

  it.each(cases.map((c) => [c.name, c] as const))('%s', async (_, c) => {
    const original = decodeModel(Buffer.from(c.model, 'base64'));
    // The few of opset 22 differ by a type only (collect.mjs).
    if (original.opsets.get('') === 22) original.opsets.set('', 21);
    const upgraded = decodeModel(encodeModel(upgradeModel(original)));
    const want = named(original.graph.outputs, c.outputs);
    const got = await runModel(upgraded, named(original.graph.inputs, c.inputs));
    expect(difference(want, got, 1e-3, 1e-7)).toBeUndefined();
  });
});
