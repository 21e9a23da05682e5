import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { DType } from '../../../src/graph/dtype';
import { inlineFunctions } from '../../../src/graph/inline';
import type { Attribute, Model, Node } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { upgradeModel } from '../../../src/graph/upgrade/upgrade';
import { tensorOf } from '../../../src/graph/values';
import { decodeModel } from './decode-model';
import { functionBytes, OWN, reference, type Sketched } from './functions';
import { difference, graph, host, input, model, node, runModel, type Attributes } from './onnx-models';

const { float } = DType;
const withFunctions = (functions: Sketched[], nodes: Node[], more = {}): Model =>
  decodeModel(
    Buffer.concat([
      encodeModel(
        model({
          opset: 18,
          domains: { [OWN]: 1 },
          inputs: [input('x', float, [2, 3])],
          nodes,
          outputs: ['y'],
          ...more,
        }),
      ),
      ...functions.map(functionBytes),
    ]),
  );

const own = (name: string, inputs: string[], outputs: string[], attributes: Attributes = {}): Node =>
  node(name, inputs, outputs, attributes, OWN);
const feeds = { x: host([2, 3], [3, 1, -2, 0, 5, 4]) };

/** ONNX Runtime inlines functions itself. */
async function expectSame(m: Model): Promise<void> {
  const before = encodeModel(m);
  const upgraded = upgradeModel(m);
  expect(Buffer.compare(encodeModel(m), before), 'the original was changed').toBe(0);
  expect(upgraded.graph.nodes.map((n) => n.domain).join('')).toBe('');
  const [want, got] = [await runModel(m, feeds), await runModel(upgraded, feeds)];
  expect(difference(want, got, 1e-6, 1e-6)).toBeUndefined();
}

const leaky = (f: Partial<Sketched> = {}): Sketched => ({
  name: 'Leaky',
  inputs: ['a'],
  outputs: ['t'],
  attributes: ['slope'],
  nodes: [node('LeakyRelu', ['a'], ['t'], { alpha: reference('alpha', 'slope', 1) })],
  ...f,
});

describe('local functions are written out as ONNX Runtime runs them', () => {
  const scale: Sketched = {
    name: 'Scale',
    inputs: ['a', 'by', 'shift'],
    outputs: ['y', 'x'],
    // The names are those of tensors outside.
    nodes: [
      node('Mul', ['a', 'by'], ['x']),
      own('Leaky', ['x'], ['w'], { slope: reference('slope', 'steep', 1) }),
      node('Add', ['w', 'a'], ['y']),
    ],
    attributes: ['steep'],
  };
  const w = tensorOf('w', float, [3], [1, -2, 0.5]);

  it('with an attribute of the call', () =>
    expectSame(withFunctions([leaky()], [own('Leaky', ['x'], ['y'], { slope: { float: 0.3 } })])));

  it('nested, called twice, with names that are taken outside', () =>
    expectSame(
      withFunctions(
        [leaky(), scale],
        [
          own('Scale', ['x', 'w'], ['h', 'first'], { steep: { float: 0.2 } }),
          own('Scale', ['h', 'w'], ['t', 'second'], { steep: { float: 0.7 } }),
          node('Sub', ['t', 'second'], ['y']),
        ],
        { initializers: [w] },
      ),
    ));

  it('with nodes that have no names', () => {
    const nodes = [node('Neg', ['a'], ['b']), node('Neg', ['b'], ['c'])].map((n) => ({ ...n, name: '' }));
    const twice = { name: 'Twice', inputs: ['a'], outputs: ['c'], nodes };
    const calls = [own('Twice', ['x'], ['h']), own('Twice', ['h'], ['y'])].map((n) => ({ ...n, name: '' }));
    return expectSame(withFunctions([twice], calls));
  });

  it('with a default, and without a value for an optional attribute', async () => {
    const slope = leaky({ attributes: [], defaults: { slope: { float: 0.5 } } });
    await expectSame(withFunctions([slope], [own('Leaky', ['x'], ['y'])]));
    await expectSame(withFunctions([leaky()], [own('Leaky', ['x'], ['y'])]));
  });

  it('with a body of If that reads tensors of the function', () => {
    const branch = (op: string): Attribute => ({
      type: 'graph',
      value: graph({
        inputs: [],
        nodes: [node(op, ['a'], ['t']), node('Mul', ['t', 'm'], ['r'])],
        outputs: ['r'],
      }),
    });
    const chosen: Sketched = {
      name: 'Chosen',
      inputs: ['a'],
      outputs: ['t'],
      nodes: [
        node('ReduceSum', ['a'], ['m'], { keepdims: 0 }),
        node('Cast', ['m'], ['c'], { to: DType.bool }),
        node('If', ['c'], ['t'], { then_branch: branch('Neg'), else_branch: branch('Abs') }),
      ],
    };
    return expectSame(withFunctions([chosen], [own('Chosen', ['x'], ['t']), own('Chosen', ['t'], ['y'])]));
  });

  // ONNX Runtime refuses such functions, which the standard allows.
  it('with outputs that are an input or each other', async () => {
    const both = {
      name: 'Both',
      inputs: ['a'],
      outputs: ['a', 'b', 'b'],
      nodes: [node('Neg', ['a'], ['b'])],
    };
    const m = withFunctions(
      [both],
      [own('Both', ['x'], ['p', 'q', 'r']), node('Sum', ['p', 'q', 'r'], ['y'])],
    );
    expect(
      difference({ y: host([2, 3], [-3, -1, 2, 0, -5, -4]) }, await runModel(upgradeModel(m), feeds)),
    ).toBeUndefined();
  });

  it('with another version of the operators than the model', async () => {
    const old: Sketched = {
      name: 'Old',
      inputs: ['a'],
      outputs: ['b'],
      opset: 11,
      nodes: [node('ReduceSum', ['a'], ['b'], { axes: [1], keepdims: 1 })],
    };
    const m = withFunctions([old], [own('Old', ['x'], ['s']), node('Neg', ['s'], ['y'])]);
    const got = await runModel(upgradeModel(m), feeds);
    expect(difference({ y: host([2, 1], [-2, -9]) }, got)).toBeUndefined();
  });

  it('under the names and metadata of the calls', () => {
    const call = {
      ...own('Scale', ['x', 'w'], ['y']),
      name: 'encoder.query',
      metadata: new Map([['scope', 'a']]),
    };
    const { nodes } = inlineFunctions(withFunctions([leaky(), scale], [call], { initializers: [w] })).model
      .graph;
    expect(nodes.map((n) => n.name)).toEqual(['encoder.query/x', 'encoder.query/w/t', 'encoder.query/y']);
    expect(nodes.map((n) => n.metadata.get('scope'))).toEqual(['a', 'a', 'a']);
  });

  it('but not if they call themselves', () => {
    const round = (name: string, other: string): Sketched => ({
      name,
      inputs: ['a'],
      outputs: ['b'],
      nodes: [own(other, ['a'], ['b'])],
    });
    const m = withFunctions([round('Ping', 'Pong'), round('Pong', 'Ping')], [own('Ping', ['x'], ['y'])]);
    expect(() => upgradeModel(m)).toThrow(AuroraError);
    expect(() => upgradeModel(m)).toThrow(/local function Ping calls itself/);
  });
});
