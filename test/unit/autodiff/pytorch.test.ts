import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import type { AttributeLike } from '../../../src/graph/attributes';
import { DType } from '../../../src/graph/dtype';
import type { HostTensor, HostTensors } from '../../../src/graph/host-tensor';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { differentiated } from './check';
import { FLOAT32_ONLY } from './float32-only';

interface Values {
  dims: number[];
  data: number[];
}
interface Case {
  op: string;
  /** Numbers are floats unless the operator's attribute of that name is an integer. */
  attributes: Record<string, number | number[] | string>;
  inputs: Record<string, Values>;
  constants: Record<string, Values>;
  dy: Values;
  gradients: Record<string, Values>;
}

/** Made by make.py beside it. */
const CASES = JSON.parse(
  readFileSync(new URL('../../fixtures/autodiff/pytorch.json', import.meta.url), 'utf8'),
) as Case[];

const float = (v: Values): HostTensor => ({
  dtype: DType.float,
  dims: v.dims,
  data: Float32Array.from(v.data),
});

const attributes = (c: Case): Record<string, AttributeLike> =>
  Object.fromEntries(
    Object.entries(c.attributes).map(([k, v]) => [
      k,
      typeof v === 'number' && k !== 'group' ? { float: v } : v,
    ]),
  );

describe('gradients in float32 agree with PyTorch in float64', () => {
  it.each(CASES.map((c, i) => [`${i} ${c.op} ${JSON.stringify(c.attributes)}`, c] as const))(
    '%s',
    async (_name, c) => {
      const keepdims: Record<string, AttributeLike> = c.op.startsWith('Reduce') ? { keepdims: 0 } : {};
      const d = await differentiated({
        inputs: Object.fromEntries(
          Object.entries(c.inputs).map(([name, v]) => [name, { shape: v.dims, dtype: DType.float }]),
        ),
        build: (g) => {
          const constants = Object.values(c.constants).map((v) => g.constant(DType.float, v.dims, v.data));
          return [g.op(c.op, [...Object.keys(c.inputs), ...constants], { ...attributes(c), ...keepdims })];
        },
        open: [],
      });
      const session = await openSession(encodeModel(d.backward));
      const feeds: HostTensors = { [`w ${d.outputs[0]}`]: float(c.dy) };
      for (const [name, v] of Object.entries(c.inputs)) feeds[name] = float(v);
      const results = await session.run(feeds);
      await session.dispose();
      for (const [name, want] of Object.entries(c.gradients)) {
        const got = results[d.gradients.get(name)!];
        expect(got.dims).toEqual(want.dims);
        const scale = Math.max(1, ...want.data.map(Math.abs));
        want.data.forEach((v, i) =>
          expect(Math.abs(Number(got.data[i]) - v) / scale, `${name}[${i}]`).toBeLessThan(2e-6),
        );
      }
    },
  );

  it('covers what finite differences cannot', () => {
    const covered = new Set(CASES.map((c) => c.op));
    expect(FLOAT32_ONLY.filter((op) => !covered.has(op))).toEqual([]);
  });
});
