import type { Graph, Model, Node, ValueInfo } from '../model';

/** A layer's cache as ONNX Runtime's own GPT-2 exports have it. */
export interface PackedCache {
  /** [2, batch, heads, earlier tokens, size]: keys and values in one tensor, named past_0 or the like. */
  input: ValueInfo;
  heads: number;
  size: number;
}

/** The index of the input with which Attention of com.microsoft reads its cache. */
const PAST = 4;

/** The caches that only fused attentions read; empty unless all inputs that are called `past…` are such. */
export function packedCaches({ inputs, nodes }: Graph): PackedCache[] {
  const pasts = inputs.filter((i) => i.name.startsWith('past'));
  const found = pasts.flatMap((input): PackedCache[] => {
    const [, , heads, , size] = input.shape ?? [];
    const fits = input.shape?.length === 5 && typeof heads === 'number' && typeof size === 'number';
    const readers = nodes.filter((n) => n.inputs.includes(input.name));
    return fits && readers.every((n) => isAttention(n) && n.inputs[PAST] === input.name)
      ? [{ input, heads, size }]
      : [];
  });
  return found.length === pasts.length ? found : [];
}

const isAttention = ({ domain, opType }: Node): boolean =>
  domain === 'com.microsoft' && opType === 'Attention';

/**
 * A decoder for texts from their beginning, without the inputs and outputs of its caches.
 *
 * @returns the model itself if it has none of this form
 */
export function withoutPackedCaches(model: Model): Model {
  const { graph } = model;
  const pasts = new Set(packedCaches(graph).map((c) => c.input.name));
  if (pasts.size === 0) return model;
  const presents = new Set<string>();
  const nodes = graph.nodes.map((node) => {
    if (!isAttention(node) || !pasts.has(node.inputs[PAST] ?? '')) return node;
    const [y, present] = node.outputs as [string, string?];
    if (present) presents.add(present);
    return { ...node, inputs: node.inputs.map((x) => (pasts.has(x) ? '' : x)), outputs: [y] };
  });
  const ids = graph.inputs.find((i) => i.name === 'input_ids');
  return {
    ...model,
    graph: {
      ...graph,
      nodes,
      // The mask has as many tokens as the text, and exporters named its axis after the cache.
      inputs: graph.inputs.flatMap((i) =>
        pasts.has(i.name) ? [] : [i.name === 'attention_mask' && ids ? { ...i, shape: ids.shape } : i],
      ),
      outputs: graph.outputs.filter((o) => !presents.has(o.name)),
    },
  };
}
