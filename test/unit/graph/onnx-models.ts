import { openSession } from '../../../src/engine/onnxruntime/session';
import type { HostTensor, HostTensors } from '../../../src/graph/tensor-infos';
import { toAttribute, type AttributeLike } from '../../../src/graph/attributes';
import { DType } from '../../../src/graph/dtype';
import { fromHalf } from '../../../src/graph/number-formats';
import type { Graph, Model, Node, Tensor, ValueInfo } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { tensorOf, tensorValues } from '../../../src/graph/values';

/** Small handwritten models for the tests, and a way to run them. */
export interface Sketch {
  opset: number;
  domains?: Record<string, number>;
  irVersion?: number;
  inputs: ValueInfo[];
  nodes: Node[];
  outputs: string[];
  initializers?: Tensor[];
}

/** An undefined attribute is omitted. */
export type Attributes = Record<string, AttributeLike | undefined>;

/** The node has the name of its output, as some exporters do, which is the hardest case for a rewrite. */
export const node = (
  opType: string,
  inputs: string[],
  outputs: string[],
  attributes: Attributes = {},
  domain = '',
): Node => ({
  opType,
  domain,
  name: outputs.find((y) => y !== '')!,
  inputs,
  outputs,
  attributes: new Map(
    Object.entries(attributes).flatMap(([k, v]) => (v === undefined ? [] : [[k, toAttribute(v)]])),
  ),
  metadata: new Map(),
});

export const input = (name: string, dtype: number, shape: ValueInfo['shape']): ValueInfo => ({
  name,
  dtype,
  shape,
});

export const graph = (s: Omit<Sketch, 'opset'>): Graph => ({
  name: 'test',
  nodes: s.nodes,
  initializers: new Map((s.initializers ?? []).map((t) => [t.name, t])),
  inputs: s.inputs,
  outputs: s.outputs.map((name) => ({ name, dtype: 0, shape: undefined })),
});

/** Uses the IR version of the opset, from 20 on; older ones also allow older opsets. */
const irVersionOf = (opset: number): number => (opset < 12 ? 4 : ([8, 9, 10, 10, 11, 12][opset - 19] ?? 8));

export const model = (s: Sketch): Model => ({
  irVersion: s.irVersion ?? irVersionOf(s.opset),
  producer: 'test',
  opsets: new Map([['', s.opset], ...Object.entries(s.domains ?? {})]),
  graph: graph(s),
  metadata: new Map(),
});

export const host = (dims: number[], values: number[], dtype: number = DType.float): HostTensor => ({
  dtype,
  dims,
  data: tensorValues(tensorOf('', dtype, dims, values)),
});

export async function runModel(m: Model, feeds: HostTensors): Promise<HostTensors> {
  const session = await openSession(encodeModel(m), { threads: 1, optimization: 'disabled' });
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

const numbers = (t: HostTensor): number[] =>
  Array.from(t.data as ArrayLike<number | bigint>, (v) =>
    t.dtype === DType.float16 ? fromHalf(Number(v)) : Number(v),
  );

/**
 * The first difference from `want` in names, types, shapes or values (beyond the tolerance), or undefined.
 */
export function difference(want: HostTensors, got: HostTensors, rtol = 0, atol = 0): string | undefined {
  if (Object.keys(want).sort().join() !== Object.keys(got).sort().join())
    return `outputs ${Object.keys(got).join()} instead of ${Object.keys(want).join()}`;
  for (const [name, w] of Object.entries(want)) {
    const g = got[name];
    if (w.dtype !== g.dtype || w.dims.join() !== g.dims.join())
      return `${name} has type ${g.dtype} and shape [${g.dims}], not ${w.dtype} and [${w.dims}]`;
    const a = numbers(w);
    const b = numbers(g);
    for (let i = 0; i < a.length; i++)
      if (!(Object.is(a[i], b[i]) || a[i] === b[i] || Math.abs(a[i] - b[i]) <= atol + rtol * Math.abs(a[i])))
        return `${name}[${i}] is ${b[i]}, not ${a[i]}`;
  }
  return undefined;
}
