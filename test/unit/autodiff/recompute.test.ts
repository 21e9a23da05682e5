import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { recompute, type Recomputed } from '../../../src/graph/autodiff/recompute';
import { probe } from '../../../src/engine/onnxruntime/probe';
import type { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import type { HostTensors } from '../../../src/graph/tensor-infos';
import type { Node } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { prune } from '../../../src/graph/reads';
import { differentiated, modelOf } from './check';

/** The width of the residual stream, the width inside a layer, and the number of rows. */
const [NARROW, WIDE, ROWS] = [8, 64, 16];
const LAYERS = 6;

const names = Array.from({ length: LAYERS }, (_, i) => `w${i}`);
const float = { dtype: DType.float };

/** Layers x + softmax(tanh(x·w))·u that are wide inside, so inner tensors take most of the memory. */
async function stack(layers: number, inside?: (g: GraphBuilder, h: string) => string): Promise<Result> {
  const d = await differentiated({
    inputs: {
      x: { shape: ['a', NARROW], frozen: true, ...float },
      u: { shape: [WIDE, NARROW], frozen: true, ...float },
      ...Object.fromEntries(names.slice(0, layers).map((n) => [n, { shape: [NARROW, WIDE], ...float }])),
    },
    build: (g) => {
      let x = 'x';
      for (const w of names.slice(0, layers)) {
        const h = g.op('Tanh', [g.op('MatMul', [x, w])]);
        const s = g.op('Softmax', [inside?.(g, h) ?? h], { axis: -1 });
        x = g.op('Add', [x, g.op('MatMul', [s, 'u'])]);
      }
      return [x];
    },
    open: ['a'],
  });
  const [y] = d.outputs;
  const plain = prune({ ...d.backward.graph, nodes: [...d.backward.graph.nodes] });
  const forward = new Set(plain.nodes.slice(0, d.forward.graph.nodes.length));
  const seed = `w ${y}`;
  const infos = await probe(d.forward);
  const again = recompute(plain, forward, infos, [seed], names);
  return { plain, again, forward, seed, y, gradients: [...d.gradients.values()] };
}

interface Result {
  plain: Recomputed['graph'];
  again: Recomputed;
  forward: ReadonlySet<Node>;
  seed: string;
  y: string;
  gradients: string[];
}

const values = (count: number, phase: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(1.7 * i + phase));

function feeds(layers: number, seed: string, gradient: (i: number) => number): HostTensors {
  const tensor = (dims: number[], data: Float32Array) => ({ dtype: DType.float, dims, data });
  return {
    x: tensor([ROWS, NARROW], values(ROWS * NARROW, 0)),
    u: tensor([WIDE, NARROW], values(WIDE * NARROW, 1)),
    [seed]: tensor(
      [ROWS, NARROW],
      Float32Array.from({ length: ROWS * NARROW }, (_, i) => gradient(i)),
    ),
    ...Object.fromEntries(
      names.slice(0, layers).map((n, i) => [n, tensor([NARROW, WIDE], values(NARROW * WIDE, 2 + i))]),
    ),
  };
}

async function run(graph: Recomputed['graph'], inputs: HostTensors, wanted: string[]): Promise<number[][]> {
  const session = await openSession(encodeModel(modelOf(graph)));
  const out = await session.run(inputs, wanted);
  await session.dispose();
  return wanted.map((name) => [...(out[name].data as Float32Array)]);
}

describe('recomputing the forward pass', () => {
  it.each([
    ['an ordinary gradient', (i: number) => Math.cos(i)],
    ['a gradient of zeros', () => 0],
    ['an infinite gradient', (i: number) => (i === 0 ? Infinity : Math.cos(i))],
    ['a NaN gradient', (i: number) => (i === 0 ? NaN : Math.cos(i))],
  ])('gives bit-identical results for %s', async (_, gradient) => {
    const { plain, again, seed, y, gradients } = await stack(LAYERS);
    expect(again.segments).toBeGreaterThan(2);
    const inputs = feeds(LAYERS, seed, gradient);
    const wanted = [y, ...gradients];
    expect(wanted).toHaveLength(1 + LAYERS);
    expect(await run(again.graph, inputs, wanted)).toEqual(await run(plain, inputs, wanted));
  });

  it('keeps less than half of the tensors and bytes between forward and backward', async () => {
    const { plain, again, forward } = await stack(LAYERS);
    const kept = (graph: Recomputed['graph']) => {
      const made = new Set([...forward].flatMap((n) => n.outputs));
      const later = graph.nodes.filter((n) => !forward.has(n));
      return new Set(later.flatMap((n) => n.inputs).filter((x) => made.has(x)));
    };
    expect(kept(again.graph).size).toBeLessThan(kept(plain).size);
    expect(again.plan!.bytes).toBeLessThan(again.plan!.bytesWithout / 2);
  });

  it('cuts at the residual stream, where a single narrow tensor crosses', async () => {
    const { again, forward } = await stack(LAYERS);
    // The first and the last cut bound the parts that are kept.
    const inner = again.plan!.cuts.slice(1, -1).map((at) => [...forward][at - 1].opType);
    expect(inner.length).toBeGreaterThan(2);
    expect(new Set(inner)).toEqual(new Set(['Add']));
  });

  it('runs as late as possible, segment by segment, in ONNX Runtime with full optimization', async () => {
    const { again, seed, y } = await stack(LAYERS);
    const order = await executionOrder(again.graph, feeds(LAYERS, seed, Math.cos));
    const softmax = order.filter((n) => n.op === 'Softmax').map((n) => n.name.startsWith('/again'));
    // The whole forward pass comes first, and no copy was merged with its original.
    const copies = softmax.filter(Boolean).length;
    expect(copies).toBe(again.segments);
    expect(softmax).toEqual([...Array<boolean>(LAYERS).fill(false), ...Array<boolean>(copies).fill(true)]);
    const barriers = order.flatMap((n, i) => (n.op === 'Where' ? [i] : []));
    expect(barriers).toHaveLength(again.segments);
    expect(barriers[0]).toBeGreaterThan(order.findIndex((n) => n.name === y));
    // Between two barriers, the gradient passes one layer.
    for (const [i, at] of barriers.slice(1).entries())
      expect(
        order.slice(barriers[i], at).filter((n) => n.name.startsWith('/grad') && /MatMul|Gemm/.test(n.op))
          .length,
      ).toBeGreaterThan(1);
  });

  it('does not redraw random numbers', async () => {
    const noise = (g: GraphBuilder, h: string) =>
      g.op('Mul', [
        h,
        g.op('RandomUniformLike', [h], { low: { float: 0.5 }, high: { float: 1.5 }, seed: { float: 3 } }),
      ]);
    const { again, plain, seed, y, gradients } = await stack(LAYERS, noise);
    expect(again.segments).toBeGreaterThan(2);
    expect(again.graph.nodes.filter((n) => n.opType === 'RandomUniformLike')).toHaveLength(LAYERS);
    const inputs = feeds(LAYERS, seed, Math.cos);
    expect(await run(again.graph, inputs, [y, ...gradients])).toEqual(
      await run(plain, inputs, [y, ...gradients]),
    );
  });

  it('leaves a model of one layer unchanged', async () => {
    const { plain, again } = await stack(1);
    expect(again).toEqual({ graph: plain, segments: 0 });
    expect(again.graph).toBe(plain);
  });

  it('does not modify the graph that it is given', async () => {
    const { plain, seed, gradients, y } = await stack(LAYERS);
    expect(plain.nodes.some((n) => n.name.startsWith('/again'))).toBe(false);
    expect([...plain.initializers.keys()].some((n) => n.startsWith('/again'))).toBe(false);
    await run(plain, feeds(LAYERS, seed, Math.cos), [y, ...gradients]);
  });
});

/** The nodes in execution order, from the runtime's profile. */
async function executionOrder(
  graph: Recomputed['graph'],
  inputs: HostTensors,
): Promise<{ name: string; op: string }[]> {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-recompute-'));
  try {
    const session = await InferenceSession.create(encodeModel(modelOf(graph)), {
      graphOptimizationLevel: 'all',
      enableProfiling: true,
      profileFilePrefix: join(folder, 'profile'),
      logSeverityLevel: 4,
    });
    await session.run(
      Object.fromEntries(
        Object.entries(inputs).map(([name, t]) => [name, new Tensor(t.data as Float32Array, t.dims)]),
      ),
    );
    session.endProfiling();
    await session.release();
    const [file] = readdirSync(folder);
    const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      cat: string;
      name: string;
      ts: number;
      args: { op_name?: string };
    }[];
    return events
      .filter((e) => e.cat === 'Node' && e.name.endsWith('_kernel_time'))
      .sort((a, b) => a.ts - b.ts)
      .map((e) => ({ name: e.name.replace('_kernel_time', ''), op: e.args.op_name! }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
