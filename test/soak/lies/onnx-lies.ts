import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadModel } from '../../../src/graph/file/load';
import {
  isFileRef,
  type Attribute,
  type Graph,
  type Model,
  type Node,
  type Tensor,
} from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import type { ExternalData } from '../../../src/graph/onnx/tensor';
import type { Draw } from '../draw';
import { modelReaders } from '../subjects';
import { HUGE, type Lies, ODD } from './lie';

const FILE = 'model.onnx';
const INT64 = 7;

/** A small model, changed. @param change may name places outside of the file for weights */
const changed =
  (change: (draw: Draw, model: Model, folder: string) => void | ((t: Tensor) => ExternalData | undefined)) =>
  (draw: Draw, folder: string): void => {
    const model = loadModel(
      resolve('test/fixtures/reference', draw.pick(['bert.onnx', 'vit.onnx', 'llama.onnx'])),
    );
    const place = change(draw, model, folder);
    writeFileSync(join(folder, FILE), encodeModel(model, place ?? undefined));
  };

const weights = ({ graph }: Model): Tensor[] => [...graph.initializers.values()];

const node = (
  opType: string,
  inputs: string[],
  outputs: string[],
  attributes: [string, Attribute][] = [],
): Node => ({
  ...{ opType, domain: '', name: outputs[0]!, inputs, outputs },
  attributes: new Map(attributes),
  metadata: new Map(),
});

function int64s(graph: Graph, name: string, values: number[], scalar = false): string {
  const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  graph.initializers.set(name, { name, dtype: INT64, dims: scalar ? [] : [values.length], data });
  return name;
}

/** Adds constants whose computation would take any amount of memory, and uses them. */
const folded = (make: (graph: Graph, size: number) => Node) =>
  changed((draw, { graph }) => {
    graph.nodes.unshift(make(graph, draw.pick(HUGE)));
    graph.nodes.unshift(node('Shape', ['lie'], ['lie_shape']));
    graph.nodes.reverse();
  });

const external = (lie: (draw: Draw, folder: string) => Partial<ExternalData>) =>
  changed((draw, model, folder) => {
    const chosen = draw.pick(weights(model).filter((t) => isFileRef(t.data)));
    writeFileSync(join(folder, 'model.data'), Buffer.alloc(4096));
    const told = { location: 'model.data', offset: 0, length: 4096, ...lie(draw, folder) };
    return (t) => (t === chosen ? told : undefined);
  });

/** A node of a graph, anywhere. */
const anyNode = (draw: Draw, { graph }: Model): Node => draw.pick(graph.nodes);

export const onnxLies: Lies = {
  name: 'ONNX',
  readers: modelReaders(FILE),
  lies: {
    'sizes of a weight': changed((draw, model) => {
      const chosen = draw.pick(weights(model).filter((t) => t.dims.length > 0));
      chosen.dims[draw.int(chosen.dims.length)] = draw.pick([...HUGE, -1, 0, -(2 ** 31)]);
    }),
    'many sizes of a weight': changed((draw, model) => {
      draw.pick(weights(model)).dims = new Array<number>(1 + draw.int(2000)).fill(
        draw.pick([0, 1, 2, 2 ** 31]),
      );
    }),
    'the type of a weight': changed((draw, model) => {
      draw.pick(weights(model)).dtype = draw.pick([0, 8, 16, 22, 99, 2 ** 31 - 1]);
    }),
    'the offset of a data file': external((draw) => ({ offset: draw.pick([...HUGE, -1]) })),
    'the length of a data file': external((draw) => ({ length: draw.pick([...HUGE, -1]) })),
    'a data file elsewhere': external((draw) => ({
      location: draw.pick(['../outside', '/dev/zero', '/etc/passwd', '.', '', 'x'.repeat(100_000), '\0', 'model.data/x', '\\\\host\\share\\x']), // prettier-ignore
    })),
    'a pipe as a data file': external((_draw, folder) => {
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      return { location: 'pipe' };
    }),
    'a link to a device as a data file': external((_draw, folder) => {
      symlinkSync('/dev/zero', join(folder, 'zero'));
      return { location: 'zero' };
    }),
    'a constant of any size': folded((graph, size) =>
      node('ConstantOfShape', [int64s(graph, 'size', [Math.min(size, 2 ** 53), 4])], ['lie']),
    ),
    'a range of any length': folded(
      (graph, size) =>
      node('Range', [int64s(graph, 'from', [0], true), int64s(graph, 'to', [size], true), int64s(graph, 'by', [1], true)], ['lie']), // prettier-ignore
    ),
    'a range with steps of 0': folded(
      (graph, size) =>
      node('Range', [int64s(graph, 'from', [0], true), int64s(graph, 'to', [size], true), int64s(graph, 'by', [0], true)], ['lie']), // prettier-ignore
    ),
    'an expansion to any size': folded((graph, size) =>
      node('Expand', [int64s(graph, 'one', [1]), int64s(graph, 'size', [size])], ['lie']),
    ),
    'a tile of any size': folded((graph, size) =>
      node('Tile', [int64s(graph, 'one', [1]), int64s(graph, 'size', [size])], ['lie']),
    ),
    'a padding of any size': folded((graph, size) =>
      node('Pad', [int64s(graph, 'one', [1]), int64s(graph, 'size', [0, size])], ['lie']),
    ),
    'a one-hot of any depth': folded(
      (graph, size) =>
      node('OneHot', [int64s(graph, 'one', [1]), int64s(graph, 'size', [size], true), int64s(graph, 'both', [0, 1])], ['lie']), // prettier-ignore
    ),
    'a long name of a node': changed((draw, model) => {
      const chosen = anyNode(draw, model);
      chosen.name = 'n'.repeat(draw.pick([50_000, 1_000_000]));
      if (draw.int(2) === 0) chosen.opType = 'NoSuchOperator';
      else chosen.inputs = chosen.inputs.map(() => 'missing');
    }),
    'a long name of an operator': changed((draw, model) => {
      anyNode(draw, model).opType = 'Op'.repeat(draw.pick([50_000, 500_000]));
    }),
    'a long name of a value': changed((draw, model) => {
      const chosen = anyNode(draw, model);
      chosen.inputs[0] = 'v'.repeat(draw.pick([50_000, 1_000_000]));
    }),
    'a long name of a weight': changed((draw, model) => {
      const chosen = draw.pick(weights(model));
      chosen.name = 'w'.repeat(100_000);
      chosen.dims = [2 ** 31];
    }),
    'many inputs of a node': changed((draw, model) => {
      const chosen = anyNode(draw, model);
      chosen.inputs = Array.from({ length: 20_000 }, (_, i) => `missing ${i}`);
    }),
    'a cycle': changed((draw, model) => {
      const [a, b] = [anyNode(draw, model), anyNode(draw, model)];
      a.inputs[0] = b.outputs[0]!;
      b.inputs[0] = a.outputs[0]!;
    }),
    'an output twice': changed((draw, model) => {
      anyNode(draw, model).outputs = [...anyNode(draw, model).outputs];
    }),
    'graphs in graphs': changed((draw, model) => {
      let inner: Graph = { name: 'g', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
      for (let depth = draw.pick([10, 100, 600]); depth > 0; depth--)
        inner = { ...inner, nodes: [node('If', ['c'], [`o${depth}`], [['then_branch', { type: 'graph', value: inner }]])] }; // prettier-ignore
      model.graph.nodes.push(node('If', ['c'], ['o'], [['then_branch', { type: 'graph', value: inner }]]));
    }),
    'the numbers of an attribute': changed((draw, model) => {
      const holders = model.graph.nodes.filter((n) => n.attributes.size > 0);
      const { attributes } = draw.pick(holders);
      const name = draw.pick([...attributes.keys()]);
      const value = draw.pick([...HUGE, -1, -(2 ** 31)]);
      attributes.set(name, draw.pick<Attribute>([
        { type: 'int', value: BigInt(value) },
        { type: 'ints', value: new Array<bigint>(1 + draw.int(8)).fill(BigInt(value)) },
        { type: 'float', value: draw.pick([NaN, Infinity, -Infinity]) },
        { type: 'string', value: 's'.repeat(100_000) },
      ])); // prettier-ignore
    }),
    'the shape of an input': changed((draw, model) => {
      const { shape } = draw.pick(model.graph.inputs);
      if (shape?.length) shape[draw.int(shape.length)] = draw.pick([...HUGE, -1, 0, 'd'.repeat(100_000)]);
    }),
    'numbers that are constants of shapes': changed((draw, model) => {
      int64s(model.graph, 'shape', [1]);
      const chosen = draw.pick(weights(model).filter((t) => t.dtype === INT64 && !isFileRef(t.data)));
      const count = (chosen.data as Uint8Array).length / 8;
      const value = BigInt(draw.pick([...HUGE, ...ODD.map(Math.trunc).filter((v) => Math.abs(v) < 2 ** 53)]));
      chosen.data = new Uint8Array(new BigInt64Array(count).fill(value).buffer);
    }),
    'the operator sets': changed((draw, model) => {
      model.opsets.set(
        draw.pick(['', 'com.microsoft', 'x'.repeat(100_000)]),
        draw.pick([0, -1, 1, 99, 2 ** 31]),
      );
    }),
  },
};
