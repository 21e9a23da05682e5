import { GraphBuilder } from '../builder';
import type { WeightOperand } from '../layers/weight-operands';
import { outputsNamed, type Model } from '../model';
import { prune } from '../reads';
import { eachWeight } from './weights-file';

/** The smallest ratio of an outlier channel to the median; up to 5 is common without outliers. */
const OUTLIER = 6;
/** The largest share of the channels: with more, a product costs too much, and they are not outliers. */
const SHARE = 1 / 16;

export interface ChannelSizes {
  model: Model;
  /** By activation: the output that has the largest magnitude of each of its channels (the last axis). */
  sizes: Map<string, string>;
}

/** A graph of the largest magnitudes of activations, by channel. */
export function channelSizes(model: Model, activations: readonly string[]): ChannelSizes {
  const { graph } = model;
  const copy = { ...graph, nodes: [...graph.nodes], initializers: new Map(graph.initializers) };
  const g = new GraphBuilder(copy, '/channels');
  const sizes = new Map<string, string>();
  for (const x of activations) {
    const width = g.op('Shape', [x], { start: -1 });
    const rows = g.op('Reshape', [g.op('Abs', [x]), g.op('Concat', [g.ints([-1]), width], { axis: 0 })]);
    sizes.set(x, g.op('ReduceMax', [rows, g.ints([0])], { keepdims: 0 }));
  }
  const outputs = outputsNamed([...sizes.values()]);
  return { model: { ...model, graph: prune({ ...copy, outputs }) }, sizes };
}

/** The channels of an activation that take the precision of all others when its rows are rounded, in order. */
export function outlierChannels(sizes: ArrayLike<number>): number[] {
  const all = Array.from(sizes, (size, channel) => ({ size, channel })).sort((a, b) => b.size - a.size);
  const limit = OUTLIER * all[all.length >> 1].size;
  return all
    .slice(0, Math.floor(SHARE * all.length))
    .filter(({ size }) => size > limit)
    .map(({ channel }) => channel)
    .sort((a, b) => a - b);
}

/** The rows (in, out) of a weight for some of its inputs, in float32. */
export function weightRows(weight: WeightOperand, channels: readonly number[]): Float32Array {
  const outputs = weight.dims[weight.transposed ? 0 : 1];
  const rows = new Float32Array(channels.length * outputs);
  const place = new Map(channels.map((channel, at) => [channel, at]));
  eachWeight(weight, (input, output, value) => {
    const at = place.get(input);
    if (at !== undefined) rows[at * outputs + output] = value;
  });
  return rows;
}
