import { expect } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import type { HostTensor, HostTensors } from '../../../../src/graph/tensor-infos';
import { elementCount, type ValueInfo } from '../../../../src/graph/model';
import { encodeModel } from '../../../../src/graph/onnx/encode';
import { standard } from '../../../../src/graph/prepare';
import { upgradeModel } from '../../../../src/graph/upgrade/upgrade';
import { difference, host, input, model, node, runModel, type Attributes } from '../onnx-models';

export interface KernelCase {
  op: string;
  opset: number;
  domain?: string;
  feeds: HostTensors;
  /** Names in order; those without a feed are omitted. */
  inputs: string[];
  /** Empty for omitted ones. */
  outputs: string[];
  attributes: Attributes;
  declare?: (name: string, t: HostTensor) => ValueInfo;
  /** Outputs that are not compared. */
  skip?: string[];
  tolerance?: number;
}

/** Checks that a model of one operator and what it is prepared as give the same, and that the operator is gone. */
export async function expectSameAsKernel(c: KernelCase): Promise<void> {
  const names = c.inputs.map((name) => (name in c.feeds ? name : ''));
  while (names.at(-1) === '') names.pop();
  const declare = c.declare ?? ((name, t) => input(name, t.dtype, t.dims));
  const original = model({
    opset: c.opset,
    domains: c.domain ? { [c.domain]: 1 } : {},
    inputs: Object.entries(c.feeds).map(([name, t]) => declare(name, t)),
    nodes: [node(c.op, names, c.outputs, c.attributes, c.domain)],
    outputs: c.outputs.filter((y) => y !== ''),
  });
  const before = encodeModel(original);
  // Not prepareModel, which lets models in 16 bits compute in float32.
  const prepared = standard(upgradeModel(original));
  expect(Buffer.compare(encodeModel(original), before), 'the original was changed').toBe(0);
  expect(prepared.graph.nodes.map((n) => n.opType)).not.toContain(c.op);
  const [want, got] = [await runModel(original, c.feeds), await runModel(prepared, c.feeds)];
  for (const name of c.skip ?? []) [want, got].forEach((r) => delete r[name]);
  const tolerance = c.tolerance ?? 2e-5;
  expect(difference(want, got, tolerance, tolerance)).toBeUndefined();
}

/** Numbers between −3 and 3; truth values; or integers from 0 to 99. */
export function random(dims: number[], seed: number, dtype: number = DType.float): HostTensor {
  let state = seed >>> 0 || 1;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  next();
  const value = () =>
    dtype === DType.bool
      ? Number(next() < 0.6)
      : dtype === DType.int64
        ? Math.floor(next() * 100)
        : 6 * next() - 3;
  return host(dims, Array.from({ length: elementCount(dims) }, value), dtype);
}
