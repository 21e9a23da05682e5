import { attrInt } from '../graph/attributes';
import type { LinearLayer } from '../graph/layers/linear';
import type { Graph, Node, Tensor } from '../graph/model';
import { isDynamic } from '../graph/quantized/dynamic';
import { isNBits, nbitsOf } from '../graph/quantized/nbits';
import { requantizeLinear, requantizeNBits, type Requantized } from '../graph/quantized/requantize';
import { readersOf } from '../graph/reads';
import { AuroraError } from '../base/errors';

/** A weight in the quantized form that it had before. */
export interface QuantizedAgain extends Requantized {
  /** If something else reads the weight or its scales too: the layer's own nodes, with other inputs in their place. */
  rewired: { node: Node; inputs: Map<number, Tensor> }[];
}

/**
 * The values (out, in) of a layer with a quantized weight, in that form again: bits, blocks, types and zero points stay.
 *
 * @param graph the one that is merged into
 * @throws AuroraError 'model' for a weight that is not stored as integers, or cannot be changed for this layer alone
 */
export function quantizedAgain(graph: Graph, layer: LinearLayer, values: Float32Array): QuantizedAgain {
  const constant = (name: string): Tensor | undefined => graph.initializers.get(name);
  const { path, weight, calls } = layer;
  const users = readersOf(graph);
  const nodes = [...new Set(calls.map((c) => c.node))];
  const [first] = nodes;
  if (isNBits(first)) {
    const made = requantizeNBits(nbitsOf(first, constant), values);
    return { ...made, rewired: isOwn(made, nodes) ? [] : renamed(made, nodes, 1) };
  }
  const dynamic = isDynamic(first);
  const reader = dynamic ? first : users.get(weight.name)?.find((n) => n.opType === 'DequantizeLinear');
  if (!reader || (!dynamic && reader.inputs[0] !== weight.name)) throw notQuantized(path);
  const [s, z] = reader.inputs.slice(dynamic ? 2 : 1);
  const form = {
    weight,
    scale: constant(s)!,
    zero: constant(z),
    axis: dynamic ? 1 : attrInt(reader, 'axis', 1),
    blockSize: dynamic ? 0 : attrInt(reader, 'block_size', 0),
  };
  const made = requantizeLinear(form, inOrder(layer, values));
  const readers = dynamic ? nodes : [reader];
  // If the file has several operators for this one, each reads one of them.
  const inFile = graph.nodes.includes(reader);
  const isAlone = inFile ? isOwn(made, readers) : users.get(s)!.length === nodes.length;
  if (layer.sharedWith.length > 0 || (!inFile && !isAlone)) throw shared(path, made.weight.name);
  return { ...made, rewired: isAlone ? [] : renamed(made, readers, dynamic ? 1 : 0) };

  function isOwn(made: Requantized, readers: readonly Node[]): boolean {
    const others = [made.weight, made.scales].flatMap((t) => users.get(t.name)!);
    return others.every((n) => readers.includes(n));
  }

  /** The scales are the input after the weight. */
  function renamed(made: Requantized, readers: readonly Node[], input: number): QuantizedAgain['rewired'] {
    const own = (t: Tensor, ending: string): Tensor => ({ ...t, name: `${path}.weight.merged${ending}` });
    const inputs = new Map([
      [input, own(made.weight, '')],
      [input + 1, own(made.scales, '.scales')],
    ]);
    return readers.map((node) => ({ node, inputs }));
  }
}

/** Values (out, in) in the order of the stored weight, without Gemm's alpha. */
function inOrder({ inFeatures, outFeatures, transposed, alpha }: LinearLayer, values: Float32Array) {
  if (transposed) return alpha === 1 ? values : values.map((v) => v / alpha);
  const out = new Float32Array(values.length);
  for (let o = 0; o < outFeatures; o++)
    for (let i = 0; i < inFeatures; i++) out[i * outFeatures + o] = values[o * inFeatures + i] / alpha;
  return out;
}

const notQuantized = (path: string): AuroraError =>
  new AuroraError(
    'model',
    `The weight of ${path} is computed from another type, but not from integers, so it cannot be quantized again.`,
    'Export without --requantize.',
  );

const shared = (path: string, name: string): AuroraError =>
  new AuroraError(
    'model',
    `${path} shares its quantized weight ${name}, or its scale, with other nodes, so it cannot be quantized again for this layer alone.`,
    'Export without --requantize, or leave the layer out with adapter.excludeModules.',
  );
