import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import type { Model } from '../../../../src/graph/model';
import { withPast } from '../../../../src/graph/with-past';
import { prepareModel } from '../../../../src/graph/prepare';
import { difference, host, input, model, node, runModel } from '../onnx-models';
import { random } from './kernel';

const { float, int64 } = DType;
const WEIGHTS: Record<string, number[]> = { emb: [10, 6], wq: [6, 16], wk: [6, 8], wv: [6, 8] };
const CACHE = ['past_key_values.0.key', 'past_key_values.0.value'];

/** A decoder of one ai.onnx Attention with a cache. Only inputs and outputs have declared shapes. */
function decoder(): Model {
  const m = model({
    opset: 23,
    inputs: [
      input('input_ids', int64, ['batch', 'sequence']),
      ...CACHE.map((name) => input(name, float, ['batch', 2, 'past', 4])),
    ],
    nodes: [
      node('Gather', ['emb', 'input_ids'], ['x']),
      ...['q', 'k', 'v'].map((name) => node('MatMul', ['x', `w${name}`], [name])),
      node('Attention', ['q', 'k', 'v', '', ...CACHE], ['a', 'present.0.key', 'present.0.value'], {
        is_causal: 1,
        q_num_heads: 4,
        kv_num_heads: 2,
      }),
      node('Identity', ['a'], ['logits']),
    ],
    initializers: Object.entries(WEIGHTS).map(([name, dims], i) => {
      const { data } = random(dims, i + 1);
      return { name, dtype: float, dims, data: new Uint8Array(data.buffer as ArrayBuffer) };
    }),
    outputs: ['logits', 'present.0.key', 'present.0.value'],
  });
  return m;
}

const ids = (...values: number[]) => host([1, values.length], values, int64);
const cached = (past: [unknown, unknown]) =>
  ({ [CACHE[0]]: past[0], [CACHE[1]]: past[1] }) as Record<string, ReturnType<typeof host>>;
const none = cached([host([1, 2, 0, 4], []), host([1, 2, 0, 4], [])]);

describe("an ai.onnx Attention's cache", () => {
  it('is left out for training', async () => {
    const m = decoder();
    const prepared = prepareModel(m);
    expect(prepared.graph.inputs.map((i) => i.name)).toEqual(['input_ids']);
    const { logits } = await runModel(m, { input_ids: ids(1, 4, 7), ...none });
    const got = await runModel(prepared, { input_ids: ids(1, 4, 7) });
    expect(difference({ logits }, got, 1e-5, 1e-5)).toBeUndefined();
  });

  it('is read and written where texts go on', async () => {
    const m = decoder();
    const first = await runModel(m, { input_ids: ids(1, 4, 7), ...none });
    const feeds = { input_ids: ids(2, 5), ...cached([first['present.0.key'], first['present.0.value']]) };
    const [want, got] = [await runModel(m, feeds), await runModel(withPast(m), feeds)];
    expect(difference(want, got, 1e-5, 1e-5)).toBeUndefined();
  });
});
