import { expect } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { probe } from '../../../src/engine/onnxruntime/probe';
import { differentiate } from '../../../src/graph/autodiff/differentiate';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType, isFloat } from '../../../src/graph/dtype';
import type { HostTensor, HostTensors } from '../../../src/graph/tensor-infos';
import {
  elementCount,
  INTERNAL_IR_VERSION,
  INTERNAL_OPSET,
  type Graph,
  type Model,
} from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { tensorOf, tensorValues, type NumberArray } from '../../../src/graph/values';
import { FIXED, OPEN, type Axis, type Input, type Problem } from './problem';

export const modelOf = (graph: Graph): Model => ({
  irVersion: INTERNAL_IR_VERSION,
  producer: 'test',
  opsets: new Map([['', INTERNAL_OPSET]]),
  graph,
  metadata: new Map(),
});

export const emptyGraph = (): Graph => ({
  name: 'test',
  nodes: [],
  initializers: new Map(),
  inputs: [],
  outputs: [],
});

export const wrt = (p: Problem): string[] =>
  Object.entries(p.inputs).flatMap(([name, i]) =>
    isFloat(i.dtype ?? DType.double) && !i.frozen ? [name] : [],
  );

export interface Differentiated {
  /** Computes `outputs`. */
  forward: Model;
  /** Has an additional input `w <output>` for each output, and the gradients as additional outputs. */
  backward: Model;
  outputs: string[];
  gradients: Map<string, string>;
}

/** The problem's graph, and the same graph with the gradients of Σ y·w, with an input w for each output y. */
export async function differentiated(p: Problem): Promise<Differentiated> {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const declared = (axis: Axis) =>
    typeof axis === 'number' ? axis : p.open.includes(axis) ? axis : FIXED[axis];
  for (const [name, i] of Object.entries(p.inputs))
    g.addInput(name, i.dtype ?? DType.double, i.shape.map(declared));
  const outputs = p.build(g);
  outputs.forEach((y) => g.addOutput(y));
  const forward = modelOf({
    ...graph,
    nodes: graph.nodes.map((n) => ({ ...n, outputs: [...n.outputs] })),
    inputs: [...graph.inputs],
    outputs: [...graph.outputs],
  });
  const infos = await probe(forward);
  const seeds = new Map(
    outputs.map((y) => [y, g.addInput(`w ${y}`, infos.get(y)!.dtype, infos.get(y)!.shape)]),
  );
  const gradients = differentiate(graph, infos, seeds, wrt(p), p.stop);
  new Set(gradients.values()).forEach((gradient) => g.addOutput(gradient));
  return { forward, backward: modelOf(graph), outputs, gradients };
}

/**
 * Compares every gradient with central differences of the forward outputs, in float64, along random
 * directions (a wrong element changes almost all of them), at two sizes of the open dimensions.
 */
export async function checkGradients(p: Problem, seed: number, tolerance = 1e-6): Promise<void> {
  const d = await differentiated(p);
  const forward = await openSession(encodeModel(d.forward));
  const backward = await openSession(encodeModel(d.backward));
  const random = generator(seed);
  for (const sizes of openSizes(p)) {
    const feeds = drawInputs(p, sizes, random);
    const weights: HostTensors = {};
    for (const [y, { dims, data }] of Object.entries(await forward.run(feeds)))
      weights[`w ${y}`] = {
        dtype: DType.double,
        dims,
        data: Float64Array.from({ length: data.length }, () => symmetric(random)),
      };
    const results = await backward.run({ ...feeds, ...weights });

    for (const name of wrt(p)) {
      const gradient = d.gradients.get(name);
      expect(gradient, `a gradient reaches ${name}`).toBeDefined();
      const g = results[gradient!];
      expect(g.dims, `shape of the gradient of ${name}`).toEqual(feeds[name].dims);
      for (let k = 0; k < 3; k++) {
        const v = Float64Array.from({ length: g.data.length }, () => symmetric(random));
        const step = 1e-5;
        const at = async (h: number) =>
          loss(await forward.run({ ...feeds, [name]: shifted(feeds[name], v, h) }), weights);
        const numeric = ((await at(step)) - (await at(-step))) / (2 * step);
        const terms = Array.from(v, (vi, i) => vi * Number(g.data[i]));
        const analytic = terms.reduce((a, b) => a + b, 0);
        const scale = 1 + terms.reduce((a, b) => a + Math.abs(b), 0);
        expect(Math.abs(analytic - numeric) / scale, `${name}: ${analytic} for ${numeric}`).toBeLessThan(
          tolerance,
        );
      }
    }
  }
  await forward.dispose();
  await backward.dispose();
}

const loss = (outputs: HostTensors, weights: HostTensors): number =>
  Object.entries(outputs).reduce(
    (sum, [y, t]) =>
      Array.from(t.data, Number).reduce((s, v, i) => s + v * Number(weights[`w ${y}`].data[i]), sum),
    0,
  );

const shifted = (t: HostTensor, v: Float64Array, h: number): HostTensor => ({
  ...t,
  data: Float64Array.from(t.data as Float64Array, (x, i) => x + h * v[i]),
});

/** The sizes of the open dimensions for each run. */
export const openSizes = (p: Problem) => (p.open.length ? OPEN : OPEN.slice(0, 1));

/** Random inputs for a problem at the given sizes of the open dimensions. */
export function drawInputs(p: Problem, sizes: Record<string, number>, random: () => number): HostTensors {
  const size = (axis: Axis) =>
    typeof axis === 'number' ? axis : (p.open.includes(axis) ? sizes : FIXED)[axis];
  return Object.fromEntries(
    Object.entries(p.inputs).map(([name, i], n) => [name, draw(i, i.shape.map(size), n, random)]),
  );
}

export function draw(i: Input, dims: number[], position: number, random: () => number): HostTensor {
  const dtype = i.dtype ?? DType.double;
  const n = elementCount(dims);
  const [low, high] = i.range ?? [0, 2];
  const number = (): number => {
    if (!isFloat(dtype)) return low + Math.floor(random() * (high - low));
    if (i.values === 'positive') return 0.5 + 1.5 * random();
    const x = 1.5 * symmetric(random);
    return i.values === 'away' ? x + 0.2 * Math.sign(x) : x;
  };
  const values = Array.from({ length: n }, number);
  // A step of 0.3, shifted by 0.1 per input, so that values of two inputs never coincide either.
  if (i.values === 'distinct')
    shuffled(n, random).forEach((k, at) => (values[at] = 0.3 * (k - n / 2) + 0.1 * position + 0.07));
  return { dtype, dims, data: tensorValues(tensorOf('', dtype, dims, values)) as NumberArray };
}

export const symmetric = (random: () => number): number => 2 * random() - 1;

function shuffled(n: number, random: () => number): number[] {
  const order = [...Array(n).keys()];
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** The mulberry32 generator. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
