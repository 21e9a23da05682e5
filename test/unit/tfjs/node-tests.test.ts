import { describe, expect, it } from 'vitest';
import { DType } from '../../../src/graph/dtype';
import { fromHalf } from '../../../src/graph/number-formats';
import type { HostTensor } from '../../../src/graph/tensor-infos';
import { upgradeModel } from '../../../src/graph/upgrade/upgrade';
import { CASES, unpack } from '../graph/onnx-cases';
import { close } from './compare';
import { interpret } from './interpret';

/** Node tests that tfjs refuses. */
const REFUSED = ['einsum_batch_diagonal'];

/** Widens float16, which is computed in float32. */
function widened(t: HostTensor): HostTensor {
  if (t.dtype !== DType.float16) return t;
  return { ...t, dtype: DType.float, data: Float32Array.from(t.data as Uint16Array, fromHalf) };
}

describe("ONNX's operator tests with TensorFlow.js", () => {
  it.each(CASES.map((c) => [c.name, c] as const))('pass: %s', async (_, c) => {
    const { model, feeds, want } = unpack(c);
    const running = interpret(upgradeModel(model).graph, feeds);
    if (REFUSED.includes(c.name)) return expect(running).rejects.toMatchObject({ kind: 'operator' });
    const got = await running;
    for (const [name, t] of Object.entries(want)) close(got[name], widened(t), name, 1e-3);
    expect(Object.keys(got).sort()).toEqual(Object.keys(want).sort());
  });
});
