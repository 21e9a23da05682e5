import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../../src/graph/autodiff/differentiate';
import { recompute } from '../../../src/graph/autodiff/recompute';
import { DType } from '../../../src/graph/dtype';
import type { TensorInfo } from '../../../src/graph/tensor-infos';
import { loadModel } from '../../../src/graph/file/load';
import type { Attribute, Model, Node } from '../../../src/graph/model';
import { decodeModel } from './decode-model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { BinaryWriter, WireType } from '../../../src/graph/onnx/wire';
import { halvableWeights } from '../../../src/graph/passes/half-weights';
import { prune } from '../../../src/graph/reads';
import { summarize } from '../../../src/graph/summary';
import { tensorOf } from '../../../src/graph/values';
import { AuroraError } from '../../../src/base/errors';
import { graph, host, input, model, node, runModel } from './onnx-models';
import { scratchFolder } from '../../scratch';

const root = scratchFolder('order');
let files = 0;
const saved = (bytes: Uint8Array): string => {
  const path = join(root, `${files++}.onnx`);
  writeFileSync(path, bytes);
  return path;
};
const loaded = (m: Model): Model => loadModel(saved(encodeModel(m)));

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (e) {
    expect(e).toBeInstanceOf(AuroraError);
    expect((e as AuroraError).kind).toBe('model');
    return (e as AuroraError).message;
  }
  throw new Error('nothing was thrown');
}

const LENGTH = 20_000;
const w = tensorOf('w', DType.float, [2, 2], [1, 2, 3, 4]);
const on = (nodes: Node[], outputs = ['y']) =>
  model({ opset: 17, inputs: [input('x', DType.float, [2, 2])], nodes, outputs, initializers: [w] });
/** A chain of operators, each of which reads the previous one's output. */
const chain = (operators: string[], from: string, to: string, length = LENGTH): Node[] =>
  Array.from({ length }, (_, i) =>
    node(operators[i % operators.length], [i === 0 ? from : `${to}${i - 1}`], [`${to}${i}`]),
  );
const end = (to: string, length = LENGTH) => `${to}${length - 1}`;

/** An If with identical branches. */
const withBody = (to: string, nodes: Node[], output: string): Node => {
  const value = graph({ inputs: [], nodes, outputs: [output] });
  const attributes = new Map<string, Attribute>([
    ['then_branch', { type: 'graph', value }],
    ['else_branch', { type: 'graph', value }],
  ]);
  return { ...node('If', ['c'], [to]), attributes };
};

describe('a graph with a cycle', () => {
  it.each<[string, Node[], string]>([
    [
      'of one node that reads its own output',
      [node('Identity', ['w'], ['w']), node('MatMul', ['x', 'w'], ['y'])],
      'Identity "w" → Identity "w"',
    ],
    [
      'of two nodes before a layer',
      [node('Identity', ['b'], ['a']), node('Transpose', ['a'], ['b']), node('MatMul', ['x', 'b'], ['y'])],
      'Transpose "b" → Identity "a" → Transpose "b"',
    ],
    [
      'through the body of a node',
      [
        withBody('a', [node('Relu', ['b'], ['r'])], 'r'),
        node('Identity', ['a'], ['b']),
        node('MatMul', ['b', 'w'], ['y']),
      ],
      'Identity "b" → If "a" → Identity "b"',
    ],
    [
      'of thousands of nodes',
      [node('Relu', [end('t')], ['z']), ...chain(['Relu'], 'z', 't'), node('MatMul', ['t5', 'w'], ['y'])],
      `${LENGTH - 4} more`,
    ],
  ])('is one error: %s', (_, nodes, text) => {
    const message = refusal(() => loaded(on(nodes)));
    expect(message).toContain('has a cycle');
    expect(message).toContain(text);
    expect(message.length).toBeLessThan(500);
  });

  it('is an error inside a body too', () => {
    const nodes = [withBody('y', [node('Relu', ['r'], ['s']), node('Relu', ['s'], ['r'])], 'r')];
    expect(refusal(() => loaded(on(nodes)))).toContain('Relu "r" → Relu "s" → Relu "r"');
  });
});

it('a tensor with two producers is an error', () => {
  const nodes = [
    node('Relu', ['x'], ['a']),
    node('Identity', ['a'], ['a']),
    node('MatMul', ['a', 'w'], ['y']),
  ];
  expect(refusal(() => loaded(on(nodes)))).toMatch(/cycle|defines the tensor "a" twice/);
  expect(
    refusal(() => loaded(on([node('Relu', ['x'], ['w']), node('MatMul', ['x', 'w'], ['y'])]))),
  ).toContain('defines the tensor "w" twice');
});

describe('nodes in any order', () => {
  it('are sorted topologically and compute the same numbers', async () => {
    const nodes = [
      ...chain(['Relu', 'Neg', 'Identity'], 'x', 'a', 6),
      node('MatMul', [end('a', 6), 'w'], ['p']),
      node('Add', ['p', 'a2'], ['y']),
    ];
    const feeds = { x: host([2, 2], [1, -2, 3, -4]) };
    const want = await runModel(on(nodes), feeds);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(nodes, { minLength: nodes.length }), async (shuffled) => {
        const m = loaded(on(shuffled));
        const seen = new Set(['x', 'w']);
        for (const n of m.graph.nodes) {
          expect(n.inputs.filter((i) => !seen.has(i))).toEqual([]);
          n.outputs.forEach((o) => seen.add(o));
        }
        expect(await runModel(m, feeds)).toEqual(want);
      }),
      { numRuns: 20 },
    );
  });

  it('keep an order that is already topological', () => {
    const nodes = [node('Relu', ['x'], ['b']), node('Neg', ['x'], ['a']), node('Add', ['a', 'b'], ['y'])];
    expect(loaded(on(nodes)).graph.nodes.map((n) => n.outputs[0])).toEqual(['b', 'a', 'y']);
  });
});

describe('a chain of 20,000 nodes', () => {
  it.each([false, true])(
    'is inspected before a weight and after a layer, reversed in the file: %s',
    (reversed) => {
      const nodes = [
        ...chain(['Identity', 'Transpose'], 'w', 'v'),
        node('MatMul', ['x', end('v')], ['h']),
        ...chain(['Relu'], 'h', 't'),
        node('MatMul', [end('t'), 'w'], ['y']),
        ...chain(['Cast'], 'w', 'c'),
        node('Exp', [end('c')], ['z']),
      ];
      const summary = summarize(loaded(on(reversed ? nodes.reverse() : nodes, ['y', 'z'])));
      expect(summary.layers.map((l) => [l.path, l.calls, l.sharedWith])).toEqual([['w', 2, ['z']]]);
      expect(summary.missingRules).toEqual([]);
    },
  );

  it('is differentiated and recomputed in segments', () => {
    const narrow: TensorInfo = { dtype: DType.float, shape: [2, 2] };
    const wide: TensorInfo = { dtype: DType.float, shape: [2, 64] };
    const infos = new Map([
      ['x', narrow],
      ['w', wide],
      ['u', { ...wide, shape: [64, 2] }],
    ]);
    const third = LENGTH / 2;
    const nodes = ['a', 'b', 'c'].flatMap((name, i) => {
      const inside = [
        node('MatMul', [['x', 'a', 'b'][i], 'w'], [`${name}up`]),
        ...chain(['Tanh'], `${name}up`, name, third),
      ];
      for (const n of inside) infos.set(n.outputs[0], wide);
      infos.set(name, narrow);
      return [...inside, node('MatMul', [end(name, third), 'u'], [name])];
    });
    const whole = on([...nodes], ['c']).graph;
    whole.initializers = new Map();
    whole.inputs = ['x', 'w', 'u', 'dy'].map((name) => input(name, DType.float, [2, 2]));
    const gradient = differentiate(whole, infos, new Map([['c', 'dy']]), ['w']).get('w')!;
    whole.outputs.push({ name: gradient, dtype: 0, shape: undefined });
    const again = recompute(prune(whole), new Set(nodes), infos, ['dy'], ['w', 'u']);
    expect(again.segments).toBeGreaterThan(0);
    expect(again.graph.nodes.length - whole.nodes.length).toBeGreaterThan(third);
  });

  it('becomes float16 as views of a weight, unless its end is read in float32', () => {
    const views = chain(['Transpose'], 'w', 'v');
    const product = on([...views, node('MatMul', ['x', end('v')], ['y'])]).graph;
    expect(halvableWeights(product, product).map((t) => t.name)).toEqual(['w']);
    const sum = on([...views, node('Add', ['x', end('v')], ['y'])]).graph;
    expect(halvableWeights(sum, sum)).toEqual([]);
  });
});

describe('a deeply nested model file', () => {
  /** Nodes whose attribute is a graph with one more such node, and so on. */
  const nested = (depth: number): Uint8Array => {
    let parts: Uint8Array[] = [];
    let length = 0;
    // Built from the inside out, prepending each length, so the time is linear in the depth.
    const wrap = (no: number, before: Uint8Array = new Uint8Array()) => {
      const head = new BinaryWriter()
        .tag(no, WireType.LengthDelimited)
        .uint32(length + before.length)
        .finish();
      parts.push(before, head);
      length += before.length + head.length;
    };
    for (let i = 0; i < depth; i++) {
      wrap(6);
      const name = new BinaryWriter().tag(1, WireType.LengthDelimited).string('body').finish();
      wrap(5, name);
      // A node has an output.
      wrap(1, new BinaryWriter().tag(2, WireType.LengthDelimited).string('y').finish());
    }
    wrap(7);
    parts = parts.reverse();
    const head = new BinaryWriter();
    head.tag(1, WireType.Varint).int64(8);
    head
      .tag(8, WireType.LengthDelimited)
      .bytes(new BinaryWriter().tag(2, WireType.Varint).int64(17).finish());
    return Buffer.concat([head.finish(), ...parts]);
  };

  it('is rejected above a limit of nested bodies', () => {
    expect(loadModel(saved(nested(32))).graph.nodes).toHaveLength(1);
    for (const depth of [33, 10_000]) {
      expect(refusal(() => loadModel(saved(nested(depth))))).toContain('nested graphs');
      expect(refusal(() => decodeModel(nested(depth)))).toContain('nested graphs');
    }
  });

  it('is rejected if it nests protobuf groups, which ONNX does not use', () => {
    const groups = Buffer.alloc(100_000, new BinaryWriter().tag(15, WireType.StartGroup).finish());
    const graphField = new BinaryWriter().tag(7, WireType.LengthDelimited).bytes(groups).finish();
    const path = saved(
      Buffer.concat([new BinaryWriter().tag(1, WireType.Varint).int64(8).finish(), graphField]),
    );
    expect(() => loadModel(path)).toThrow(/truncated or damaged/);
    expect(() => loadModel(path)).not.toThrow(/call stack/);
  });
});
