import { join } from 'node:path';
import { loadModelFrom } from '../../src/architectures/load';
import { modelSource } from '../../src/architectures/model-source';
import { GraphBuilder } from '../../src/graph/builder';
import { DType } from '../../src/graph/dtype';
import { loadModel } from '../../src/graph/file/load';
import { saveModel } from '../../src/graph/file/save';
import type { Model, Node } from '../../src/graph/model';
import { prune } from '../../src/graph/reads';
import { floatValues, tensorOf } from '../../src/graph/values';
import { fixture } from './files';

/**
 * Models of test/fixtures/hf with their attention as one operator that packs query, key and value, as ONNX Runtime's
 * optimizer and model builder write it.
 */
export const PACKED: Record<
  string,
  { of: string; attention: (c: Context, layer: number) => string; layers: string[] }
> = {
  'GPT-2 with Attention': {
    of: 'gpt2-scaled',
    layers: [0, 1].map((i) => `/h.${i}/attn/c_proj/Gemm`),
    attention({ g, make, packed }, i) {
      const [x, ...weights] = make(`/h.${i}/attn/c_attn/Gemm`).inputs;
      const scale = { float: 1 / Math.sqrt(8) / (i + 1) };
      const inputs = [packed(x, 16), ...weights, mask(g)];
      return g.op(
        'Attention',
        inputs,
        { num_heads: 2, unidirectional: 1, scale },
        named(`GptAttention_${i}`),
      );
    },
  },
  'ALBERT with a copy of the packed weight for each call': albert((i) => `Attention_${i}_qkv`),
  'ALBERT with one packed weight': albert(() => 'qkv'),
  'Phi-3 with GroupQueryAttention': {
    of: 'phi3-long',
    layers: [0, 1].map((i) => `/layers.${i}/self_attn/o_proj/Gemm`),
    attention({ g, make, packed }, i) {
      const [all] = make(`/layers.${i}/self_attn/qkv_proj/Gemm`).outputs;
      const lengths = g.op('ReduceSum', ['attention_mask', g.ints([1])], { keepdims: 0 });
      const last = g.op('Cast', [g.op('Sub', [lengths, g.ints([1])])], { to: DType.int32 });
      const longest = g.op('Squeeze', [g.op('Shape', ['attention_mask'], { start: 1 })]);
      const total = g.op('Cast', [longest], { to: DType.int32 });
      const inputs = [packed(all, 64), '', '', '', '', last, total, ...tables(g)];
      const attributes = { num_heads: 4, kv_num_heads: 2, do_rotary: 1 };
      return g.op('GroupQueryAttention', inputs, attributes, named(`/layers.${i}/attn/GroupQueryAttention`));
    },
  },
};

interface Context {
  g: GraphBuilder;
  /** The node of this name. */
  make: (name: string) => Node;
  /** (tokens, size) as (batch, sequence, size). */
  packed: (x: string, size: number) => string;
  weights: Model['graph']['initializers'];
}

const named = (name: string, output = `${name}_output`) => ({
  domain: 'com.microsoft',
  name,
  outputs: [output],
});

const mask = (g: GraphBuilder): string => g.op('Cast', ['attention_mask'], { to: DType.int32 });

function albert(nameOf: (call: number) => string): (typeof PACKED)[string] {
  const at = '/encoder/albert_layer_groups.0/albert_layers.0/attention';
  const ending = (i: number) => (i === 0 ? '' : `_${i}`);
  return {
    of: 'albert',
    layers: [0, 1, 2].map((i) => `${at}/dense/Gemm${ending(i)}`),
    attention({ g, make, packed, weights }, i) {
      const parts = ['query', 'key', 'value'].map((name) => make(`${at}/${name}/Gemm${ending(i)}`).inputs);
      const [w, b] = [1, 2].map((input) => parts.map((p) => floatValues(weights.get(p[input]!)!)));
      const turned = Float32Array.from(
        { length: 16 * 48 },
        (_, k) => w[Math.floor((k % 48) / 16)]![(k % 16) * 16 + Math.floor(k / 48)]!,
      );
      const name = nameOf(i);
      const stored = [
        tensorOf(`${name}_weight`, DType.float, [16, 48], turned),
        tensorOf(
          `${name}_bias`,
          DType.float,
          [48],
          b.flatMap((v) => [...v]),
        ),
      ].map((t) => g.addInitializer(t));
      const output = `${at.replaceAll('.0', `.0${ending(i)}`)}/Flatten_output_0`;
      return g.op(
        'Attention',
        [packed(parts[0]![0]!, 16), ...stored, mask(g)],
        { num_heads: 2 },
        named(`Attention_${i}`, output),
      );
    },
  };
}

/** Cosines and sines of 3 pairs of features with Phi-3's long factors: positions, frequencies. */
function tables(g: GraphBuilder): string[] {
  const frequencies = [2, 3, 8].map((factor, j) => 100 ** (-j / 3) / factor);
  const scale = Math.sqrt(1 + Math.log(64 / 5) / Math.log(5));
  return [Math.cos, Math.sin].map((f) =>
    g.constant(
      DType.float,
      [64, 3],
      Array.from({ length: 192 }, (_, k) => scale * f(Math.floor(k / 3) * frequencies[k % 3]!)),
    ),
  );
}

/** The plain model, and the packed form as read from a file in this folder. */
export function packedForm(name: string, folder: string): { of: string; plain: Model; form: Model } {
  const { of, layers, attention } = PACKED[name]!;
  const plain = loadModelFrom(modelSource(fixture(`../hf/${of}`)));
  const nodes: Node[] = [];
  const graph = { ...plain.graph, nodes, initializers: new Map(plain.graph.initializers) };
  const g = new GraphBuilder({ ...graph, nodes: plain.graph.nodes }, '/packed', nodes);
  const context: Context = {
    g,
    make: (node) => plain.graph.nodes.find((n) => n.name === node)!,
    packed: (x, size) =>
      g.op('Reshape', [x, g.op('Concat', [g.op('Shape', ['input_ids']), g.ints([size])], { axis: 0 })]),
    weights: plain.graph.initializers,
  };
  for (const node of plain.graph.nodes) {
    const layer = layers.indexOf(node.name);
    const flat =
      layer < 0 ? '' : g.op('Reshape', [attention(context, layer), g.ints([-1, widthOf(plain, node)])]);
    nodes.push(layer < 0 ? node : { ...node, inputs: [flat, ...node.inputs.slice(1)] });
  }
  const path = join(folder, `${name}.onnx`);
  const opsets = new Map(plain.opsets).set('com.microsoft', 1);
  saveModel({ ...plain, opsets, graph: prune(graph) }, path);
  return { of: `../hf/${of}`, plain, form: loadModel(path) };
}

/** The width of a linear layer's input. */
function widthOf({ graph }: Model, { inputs, attributes }: Node): number {
  const [rows, columns] = graph.initializers.get(inputs[1]!)!.dims;
  return Number(attributes.get('transB')?.value ?? 0) === 1 ? columns! : rows!;
}
