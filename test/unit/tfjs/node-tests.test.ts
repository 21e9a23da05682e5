import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../src/graph/dtype';
import type { HostTensor, HostTensors } from '../../../src/graph/host-tensor';
import { fromHalf } from '../../../src/graph/half';
import { decodeModel } from '../../../src/graph/onnx/decode';
import { decodeTensor } from '../../../src/graph/onnx/tensor';
import { upgradeModel } from '../../../src/graph/upgrade/upgrade';
import { tensorValues } from '../../../src/graph/values';
import { close } from './compare';
import { interpret } from './interpret';

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

const named = (names: { name: string }[], tensors: string[]): HostTensors =>
  Object.fromEntries(tensors.map((t, i) => [names[i].name, tensor(t)]));

/** What tfjs cannot do, and says so. */
const REFUSED = ['einsum_batch_diagonal'];

/** Halves are computed in float32. */
function widened(t: HostTensor): HostTensor {
  if (t.dtype !== DType.float16) return t;
  return { ...t, dtype: DType.float, data: Float32Array.from(t.data as Uint16Array, fromHalf) };
}

describe("ONNX's own operator tests, by TensorFlow.js", () => {
  it.each(cases.map((c) => [c.name, c] as const))('%s', async (_, c) => {
    const original = decodeModel(Buffer.from(c.model, 'base64'));
    if (original.opsets.get('') === 22) original.opsets.set('', 21);
    const { graph } = upgradeModel(original);
    const feeds = named(original.graph.inputs, c.inputs);
    const want = named(original.graph.outputs, c.outputs);
    const running = interpret(graph, feeds);
    if (REFUSED.includes(c.name)) return expect(running).rejects.toMatchObject({ kind: 'operator' });
    const got = await running;
    for (const [name, t] of Object.entries(want)) close(got[name], widened(t), name, 1e-3);
    expect(Object.keys(got).sort()).toEqual(Object.keys(want).sort());
  });
});
