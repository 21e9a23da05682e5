import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { attrInt, toAttribute } from '../../../src/graph/attributes';
import { DType } from '../../../src/graph/dtype';
import type { Attribute, Model, Node } from '../../../src/graph/model';
import { decodeModel } from './decode-model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { BinaryWriter, WireType } from '../../../src/graph/onnx/wire';
import { upgradeModel } from '../../../src/graph/upgrade/upgrade';
import { tensorNumbers, tensorOf, tensorValues } from '../../../src/graph/values';
import { difference, graph, host, input, model, node, runModel } from './onnx-models';

const { float, int64 } = DType;
const x = input('x', float, [2, 6]);
const build = (opset: number, nodes: Node[], more = {}): Model =>
  model({ opset, inputs: [x], nodes, outputs: ['y'], ...more });
const feeds = { x: host([2, 6], [3, 1, -2, 0, 5, 4, -1, 2, 2, 0, 1, -3]) };
const body = (...nodes: Node[]): Attribute => ({
  type: 'graph',
  value: graph({ inputs: [], nodes, outputs: [nodes.at(-1)!.outputs[0]] }),
});

/** A message with one length-delimited field. */
const raw = (no: number, bytes: Uint8Array): Uint8Array =>
  new BinaryWriter().tag(no, WireType.LengthDelimited).bytes(bytes).finish();
const valueInfo = (name: string): Uint8Array => raw(13, raw(1, new TextEncoder().encode(name)));

describe('supported opsets', () => {
  const identity = [node('Identity', ['x'], ['y'])];

  it.each([9, 14, 20, 21])('include opset %i', async (opset) => {
    const upgraded = upgradeModel(build(opset, identity));
    expect([upgraded.opsets.get(''), upgraded.irVersion >= 10]).toEqual([21, true]);
    expect(difference({ y: feeds.x }, await runModel(upgraded, feeds))).toBeUndefined();
  });

  it.each([1, 8, 22, 30])('exclude opset %i, with its number and a hint', (opset) => {
    let error: unknown;
    try {
      upgradeModel(build(opset, identity));
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(AuroraError);
    expect(error).toMatchObject({ kind: 'model', message: expect.stringContaining(`opset ${opset} `) });
    expect((error as AuroraError).hint).toMatch(/^Export it again with opset/);
  });

  it('must be declared for the standard operators', () => {
    const m = build(20, identity);
    m.opsets.delete('');
    expect(() => upgradeModel(m)).toThrow(/which version/);
  });

  it('do not affect other operator sets and their operators', () => {
    const foreign = node('Softmax', ['x'], ['y'], {}, 'com.example');
    const upgraded = upgradeModel(build(11, [foreign], { domains: { 'com.example': 3 } }));
    expect(upgraded.opsets.get('com.example')).toBe(3);
    expect(upgraded.graph.nodes).toEqual([foreign]);
  });

  it('exclude functions defined in the model', () => {
    const m = decodeModel(
      Buffer.concat([encodeModel(build(18, identity)), raw(25, raw(1, Buffer.from('f')))]),
    );
    expect(() => upgradeModel(m)).toThrow(/local functions/);
  });

  it.each([
    [DType.uint4, 8],
    [DType.int4, 0],
  ])('include blocked weights of four bits, type %i', async (dtype, zero) => {
    const nodes = [
      node('DequantizeLinear', ['q', 's', 'z'], ['w'], { axis: 1, block_size: 16 }),
      node('Gemm', ['x', 'w'], ['y'], { transB: 1 }),
    ];
    const q = Array.from({ length: 96 }, (_, i) => zero - 8 + ((i * 7) % 16));
    const initializers = [
      tensorOf('q', dtype, [3, 32], q),
      tensorOf('s', float, [3, 2], [1, 0.5, 2, 0.25, 4, 8]),
      tensorOf('z', dtype, [3, 2], new Array<number>(6).fill(zero)),
    ];
    const m = build(21, nodes, { inputs: [input('x', float, ['n', 32])], initializers });
    const upgraded = decodeModel(encodeModel(upgradeModel(m)));
    expect(tensorNumbers(upgraded.graph.initializers.get('q')!)).toEqual(q);
    const row = Array.from({ length: 32 }, (_, i) => (i === 19 ? 1 : 0));
    const want = [0.5, 0.25, 8].map((scale, n) => scale * (q[n * 32 + 19] - zero));
    const got = await runModel(upgraded, { x: host([1, 32], row) });
    expect(difference({ y: host([1, 3], want) }, got)).toBeUndefined();
  });
});

describe('constants', () => {
  const lift = (attributes: Record<string, Attribute>) => {
    const constant: Node = {
      ...node('Constant', [], ['c']),
      attributes: new Map(Object.entries(attributes)),
    };
    return upgradeModel(build(13, [constant, node('Identity', ['x'], ['y'])])).graph;
  };

  it.each<[string, Attribute, number, number[], number[]]>([
    [
      'value',
      toAttribute({ type: 'tensor', value: tensorOf('', int64, [1, 2], [7, 8]) }),
      int64,
      [1, 2],
      [7, 8],
    ],
    ['value_float', toAttribute({ float: 0.5 }), float, [], [0.5]],
    ['value_floats', toAttribute({ floats: [1, 2.5] }), float, [2], [1, 2.5]],
    ['value_int', toAttribute(4), int64, [], [4]],
    ['value_ints', toAttribute([4, -5, 6]), int64, [3], [4, -5, 6]],
  ])('move from a node with %s to an initializer', (kind, attribute, dtype, dims, values) => {
    const lifted = lift({ [kind]: attribute });
    const tensor = lifted.initializers.get('c')!;
    expect(lifted.nodes.map((n) => n.opType)).toEqual(['Identity']);
    expect([tensor.name, tensor.dtype, tensor.dims, tensorNumbers(tensor)]).toEqual([
      'c',
      dtype,
      dims,
      values,
    ]);
  });

  it('keep every bit of an integer beyond 2^53', () => {
    const big = -(2n ** 62n) + 1n;
    expect([
      ...tensorValues(lift({ value_int: { type: 'int', value: big } }).initializers.get('c')!),
    ]).toEqual([big]);
  });

  it('stay nodes if they are strings', () => {
    expect(lift({ value_string: toAttribute('a') }).nodes.map((n) => n.opType)).toEqual([
      'Constant',
      'Identity',
    ]);
  });

  it('are read from their node by an operator that changed', () => {
    const scales: Attribute = { type: 'tensor', value: tensorOf('', float, [2], [1, 2]) };
    const nodes = [node('Constant', [], ['s'], { value: scales }), node('Upsample', ['x', 's'], ['y'])];
    expect(upgradeModel(build(9, nodes)).graph.nodes.map((n) => n.opType)).toEqual(['Resize']);
  });

  it('are not inputs, even if an old IR version also lists them as inputs', () => {
    const w = tensorOf('w', float, [6], [1, 2, 3, 4, 5, 6]);
    const m = build(9, [node('Add', ['x', 'w'], ['y'])], {
      irVersion: 3,
      inputs: [x, input('w', float, [6])],
      initializers: [w],
    });
    expect(upgradeModel(m).graph.inputs.map((i) => i.name)).toEqual(['x']);
    expect(upgradeModel({ ...m, irVersion: 4 }).graph.inputs.map((i) => i.name)).toEqual(['x', 'w']);
  });
});

describe('upgrading the rest of the graph', () => {
  it('includes the bodies of If and Loop at any depth, with names that shadow nothing', async () => {
    const inner = body(node('Softmax', ['x'], ['i1'], { axis: 0 }));
    const other = body(
      node('Unsqueeze', ['x'], ['u'], { axes: [0] }),
      node('Squeeze', ['u'], ['i2'], { axes: [0] }),
    );
    const then = body(
      node('ReduceSum', ['x'], ['r'], { axes: [1], keepdims: 1 }),
      node('If', ['c'], ['n'], { then_branch: inner, else_branch: other }),
      node('Add', ['r', 'n'], ['t']),
    );
    const loop: Attribute = {
      type: 'graph',
      value: graph({
        inputs: [input('k', int64, []), input('go', DType.bool, []), input('v', float, [2, 6])],
        nodes: [
          node('Identity', ['go'], ['on']),
          node('Softmax', ['v'], ['m'], { axis: 0 }),
          node('Dropout', ['m'], ['w'], { ratio: { float: 0.2 } }),
        ],
        outputs: ['on', 'w'],
      }),
    };
    const m = build(
      11,
      [
        node('Softmax', ['x'], ['s'], { axis: 0 }),
        node('If', ['c'], ['p'], { then_branch: then, else_branch: body(node('Neg', ['s'], ['e'])) }),
        node('Loop', ['trips', '', 'p'], ['y'], { body: loop }),
      ],
      {
        inputs: [x, input('c', DType.bool, [])],
        initializers: [tensorOf('trips', int64, [], [2])],
      },
    );
    const upgraded = upgradeModel(m);
    for (const c of [0, 1]) {
      const both = { ...feeds, c: host([], [c], DType.bool) };
      const [want, got] = [await runModel(m, both), await runModel(upgraded, both)];
      expect(difference(want, got, 1e-5, 1e-6)).toBeUndefined();
    }
  });

  it('leaves a Constant inside a body in its place', () => {
    const branch = body(
      node('Constant', [], ['k'], { value_float: { float: 1 } }),
      node('Add', ['x', 'k'], ['t']),
    );
    const m = build(12, [node('If', ['c'], ['y'], { then_branch: branch, else_branch: branch })]);
    const then = upgradeModel(m).graph.nodes[0].attributes.get('then_branch');
    expect(then?.type === 'graph' && then.value.nodes.map((n) => n.opType)).toEqual(['Constant', 'Add']);
  });

  it('chooses names that the model does not use yet', async () => {
    const taken = (i: number) => `/upgrade/${['Shape', 'Flatten', 'Softmax'][i % 3]}_${i}`;
    const chain = Array.from({ length: 6 }, (_, i) => node('Identity', [i ? taken(i - 1) : 'x'], [taken(i)]));
    const m = build(11, [...chain, node('Softmax', [taken(5)], ['y'], { axis: 0 })]);
    expect(
      difference(await runModel(m, feeds), await runModel(upgradeModel(m), feeds), 1e-6),
    ).toBeUndefined();
  });

  it('keeps value_info of tensors that still exist, and all other unknown fields', () => {
    const m = build(11, [node('Softmax', ['x'], ['s'], { axis: 0 }), node('Neg', ['s'], ['y'])]);
    const documentation = raw(10, Buffer.from('about this graph'));
    m.graph.unknown = [valueInfo('s'), valueInfo('gone'), documentation];
    expect(upgradeModel(m).graph.unknown).toEqual([valueInfo('s'), documentation]);
  });

  it('makes a copy that can be changed without changing the original', () => {
    const m = build(20, [node('Softmax', ['x'], ['y'], { axis: 0 })]);
    const before = encodeModel(m);
    const copy = upgradeModel(m);
    copy.graph.nodes[0].inputs[0] = 'z';
    copy.graph.nodes[0].attributes.set('axis', toAttribute(1));
    copy.graph.nodes[0].metadata.set('a', 'b');
    copy.graph.inputs.pop();
    copy.graph.initializers.set('t', tensorOf('t', float, [], [1]));
    copy.opsets.set('com.example', 1);
    expect(Buffer.compare(encodeModel(m), before)).toBe(0);
    expect(attrInt(m.graph.nodes[0], 'axis')).toBe(0);
  });
});
