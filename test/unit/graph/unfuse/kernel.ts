import fc from 'fast-check';
import { expect } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import { elementCount, type Model } from '../../../../src/graph/model';
import { unfuse } from '../../../../src/graph/unfuse/unfuse';
import { tensorOf } from '../../../../src/graph/values';
import type { HostTensors } from '../../../../src/graph/tensor-infos';
import { host, input, model, node, runModel, type Attributes } from '../onnx-models';

/** An input of a fused operator. */
export interface Fed {
  dims: number[];
  values: number[];
  dtype?: number;
  /** In the file, rather than fed. */
  constant?: boolean;
}

export interface Call {
  op: string;
  inputs: Record<string, Fed | undefined>;
  attributes?: Attributes;
  outputs?: string[];
}

/** A model of one fused operator, with what it is fed. Inputs are declared with their rank. */
export function fused({ op, inputs, attributes = {}, outputs = ['y'] }: Call): {
  model: Model;
  feeds: HostTensors;
} {
  const given = Object.entries(inputs).flatMap(([name, fed]) => (fed ? [[name, fed] as const] : []));
  const constants = given.filter(([, fed]) => fed.constant);
  const fedOnes = given.filter(([, fed]) => !fed.constant);
  return {
    model: model({
      opset: 20,
      domains: { 'com.microsoft': 1 },
      inputs: fedOnes.map(([name, { dims, dtype = DType.float }]) =>
        input(
          name,
          dtype,
          dims.map(() => undefined),
        ),
      ),
      initializers: constants.map(([name, { dims, values, dtype = DType.float }]) =>
        tensorOf(name, dtype, dims, values),
      ),
      nodes: [
        node(
          op,
          Object.entries(inputs).map(([name, fed]) => (fed ? name : '')),
          outputs,
          attributes,
          'com.microsoft',
        ),
      ],
      outputs: outputs.filter((y) => y !== ''),
    }),
    feeds: Object.fromEntries(
      fedOnes.map(([name, { dims, values, dtype }]) => [name, host(dims, values, dtype)]),
    ),
  };
}

/** The results of ONNX Runtime's own kernel and of the standard operators in its place. */
export async function bothWays(call: Call): Promise<{ kernel: HostTensors; plain: HostTensors }> {
  const { model: original, feeds } = fused(call);
  const plain = unfuse(original);
  expect(plain.graph.nodes.map((n) => n.domain).join('')).toBe('');
  return { kernel: await runModel(original, feeds), plain: await runModel(plain, feeds) };
}

/** The largest difference between two tensors, of those elements that `counts` says count. */
export function largestDifference(
  kernel: HostTensors,
  plain: HostTensors,
  name = 'y',
  counts: (index: number) => boolean = () => true,
): number {
  const [a, b] = [kernel[name]!, plain[name]!];
  expect(b.dims).toEqual(a.dims);
  expect(b.dtype).toEqual(a.dtype);
  let largest = 0;
  (a.data as Float32Array).forEach((v, i) => {
    const d = Math.abs(Number(v) - Number(b.data[i]));
    if (counts(i)) largest = Math.max(largest, Number.isNaN(d) ? Infinity : d);
  });
  return largest;
}

/** Numbers in [−size, size], the same for the same seed. */
export function floats(dims: number[], seed: number, { size = 1, constant = false } = {}): Fed {
  let state = (seed * 7919 + 17) % 2147483648;
  const values = Array.from({ length: elementCount(dims) }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return ((state / 2147483648) * 2 - 1) * size;
  });
  return { dims, values, constant };
}

export const int32 = (dims: number[], values: number[]): Fed => ({ dims, values, dtype: DType.int32 });

/** 0s and 1s. */
export const bits = (dims: number[]): fc.Arbitrary<Fed> => {
  const count = elementCount(dims);
  return fc.array(fc.nat(1), { minLength: count, maxLength: count }).map((values) => int32(dims, values));
};

/** Lengths of texts as packed kernels take them: their lengths, then where queries and keys begin, (3 · batch + 2). */
export const cumulative = (lengths: number[]): Fed => {
  const begins = lengths.reduce((sums, n) => [...sums, sums.at(-1)! + n], [0]);
  return int32([3 * lengths.length + 2], [...lengths, ...begins, ...begins]);
};

/** Checks a property on random cases, always the same ones. */
export const check = <T>(cases: fc.Arbitrary<T>, holds: (example: T) => Promise<void>, numRuns = 40) =>
  fc.assert(fc.asyncProperty(cases, holds), { numRuns, seed: 1 });
