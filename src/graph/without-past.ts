import { attrInt } from './attributes';
import { GraphBuilder } from './builder';
import { DType, isFloat } from './dtype';
import type { Graph, Model, Node, ValueInfo } from './model';
import { readsOf } from './reads';
import { tensorNumbers, tensorOf } from './values';

/** Operators whose result has no elements if their first input has none. */
const PASSING = new Set(['Cast', 'Identity', 'Transpose']);

/**
 * A decoder for texts from their beginning: its cache is empty, so it has neither the inputs nor the outputs of one,
 * and no Concat with it. All tokens get logits. The numbers are those of the file with a cache of length 0.
 *
 * @param model at the internal opset
 * @param keepPresent true if the keys and values of the text stay outputs
 * @returns the model itself if it has no cache
 */
export function withoutPast(model: Model, keepPresent = false): Model {
  const cache = cacheInputs(model.graph);
  if (cache.length === 0) return model;
  const emptied = new Emptied(model.graph, cache).graph();
  const present = new Set(keepPresent ? [] : cache.map((c) => c.present));
  return {
    ...model,
    graph: {
      ...emptied,
      inputs: emptied.inputs.map((i) => (i.name === 'attention_mask' ? asIds(emptied, i) : i)),
      outputs: emptied.outputs.filter((o) => !present.has(o.name)),
    },
  };
}

/** The mask has as many tokens as the text, and exporters named its axis after the cache. */
function asIds({ inputs }: Graph, mask: Graph['inputs'][number]): Graph['inputs'][number] {
  const ids = inputs.find((i) => i.name === 'input_ids');
  return ids?.shape?.length === 2 && mask.shape?.length === 2 ? { ...mask, shape: ids.shape } : mask;
}

class Emptied {
  private readonly nodes: Node[] = [];
  private readonly g: GraphBuilder;
  private readonly caches: ReadonlyMap<string, CacheInput>;
  /** Tensors without elements. */
  private readonly empty: Set<string>;
  /** The caches' sizes, by the tensor that has them. */
  private readonly sizes = new Map<string, CacheInput>();

  constructor(
    private readonly source: Graph,
    cache: readonly CacheInput[],
  ) {
    this.caches = new Map(cache.map((c) => [c.input.name, c]));
    this.empty = new Set(this.caches.keys());
    const kept = keptLogitsInput(source);
    const copy: Graph = {
      ...source,
      initializers: new Map(source.initializers),
      inputs: source.inputs.filter((i) => !this.caches.has(i.name) && i !== kept),
    };
    this.g = new GraphBuilder(copy, '/empty', this.nodes);
    if (kept) this.g.addInitializer(tensorOf(kept.name, kept.dtype, kept.shape?.length ? [1] : [], [0]));
  }

  graph(): Graph {
    for (const node of this.source.nodes) this.add(node);
    const read = new Set(this.nodes.flatMap(readsOf));
    const made: Node[] = [];
    const before = new GraphBuilder({ ...this.g.graph, nodes: this.nodes }, '/empty/made', made);
    for (const [name, cache] of this.sizes) if (read.has(name)) shape(before, cache, name);
    for (const [name, cache] of this.caches)
      if (read.has(name))
        before.op('ConstantOfShape', [shape(before, cache)], zero(cache), { outputs: [name] });
    return { ...this.g.graph, nodes: [...made, ...this.nodes] };
  }

  private add(node: Node): void {
    const [x] = node.inputs;
    const [y] = node.outputs;
    if (node.domain === '') {
      if (node.opType === 'Concat' && node.inputs.some((i) => this.empty.has(i))) return this.concat(node);
      const cache = node.opType === 'Shape' && node.attributes.size === 0 ? this.caches.get(x) : undefined;
      if (cache) return void this.sizes.set(y, cache);
      const size = node.opType === 'Gather' ? this.sizeAt(node) : undefined;
      if (size) return void this.g.addInitializer(tensorOf(y, DType.int64, size.dims, size.values));
      if (PASSING.has(node.opType) && this.empty.has(x)) this.empty.add(y);
    } else if (node.inputs.some((i) => this.empty.has(i))) {
      // A fused attention takes its cache itself, and none as an empty one.
      return void this.nodes.push({ ...node, inputs: node.inputs.map((i) => (this.empty.has(i) ? '' : i)) });
    }
    this.nodes.push(node);
  }

  private concat(node: Node): void {
    const inputs = node.inputs.filter((x) => !this.empty.has(x));
    if (inputs.length > 1) return void this.nodes.push({ ...node, inputs });
    if (inputs.length === 1)
      return void this.nodes.push({ ...node, opType: 'Identity', inputs, attributes: new Map() });
    this.empty.add(node.outputs[0]);
    this.nodes.push(node);
  }

  /** The sizes that a Gather picks from a cache's, unless that is the batch. */
  private sizeAt(node: Node): { dims: number[]; values: number[] } | undefined {
    const cache = this.sizes.get(node.inputs[0]);
    const places = this.g.graph.initializers.get(node.inputs[1]);
    if (!cache || !places || attrInt(node, 'axis', 0) !== 0) return undefined;
    const sizes = [undefined, cache.heads, 0, cache.size];
    const values = tensorNumbers(places).map((at) => sizes.at(at));
    return values.every((v) => v !== undefined) ? { dims: places.dims, values } : undefined;
  }
}

/** Emits the sizes of an empty cache. */
function shape(g: GraphBuilder, { heads, size }: CacheInput, name?: string): string {
  const batch = g.op('Shape', ['input_ids'], { start: 0, end: 1 });
  const options = name === undefined ? {} : { outputs: [name] };
  return g.op('Concat', [batch, g.ints([heads, 0, size])], { axis: 0 }, options);
}

const zero = ({ input }: CacheInput) => ({
  value: { type: 'tensor' as const, value: tensorOf('', input.dtype, [1], [0]) },
});

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

/**
 * A decoder of a merged file, which has two: an If on `use_cache_branch` has the decoder for a text from its beginning
 * in its else branch, and that for tokens after a cache in its then branch. Their common weights are above it.
 *
 * @param after true for the decoder for tokens after a cache
 * @returns the model itself if it is not a merged file
 */
export function decoderBranch(model: Model, after: boolean): Model {
  const { graph } = model;
  const at = graph.nodes.findIndex(isChoice);
  if (at < 0) return model;
  const choice = graph.nodes[at];
  const branch = choice.attributes.get(after ? 'then_branch' : 'else_branch');
  if (branch?.type !== 'graph') return model;
  const { nodes, outputs, initializers, unknown } = branch.value;
  const renamed = outputs.flatMap(({ name }, i) => {
    const to = choice.outputs[i];
    return name === to || to === '' ? [] : [identity(name, to)];
  });
  const inlined: Graph = {
    ...graph,
    nodes: [...graph.nodes.slice(0, at), ...nodes, ...renamed, ...graph.nodes.slice(at + 1)],
    initializers: new Map([...graph.initializers, ...initializers]),
    inputs: graph.inputs.filter((i) => i.name !== USE_CACHE),
    unknown: [...(graph.unknown ?? []), ...(unknown ?? [])],
  };
  return { ...model, graph: inlined };
}

/** True if a file holds two decoders. */
export const isMerged = ({ graph }: Model): boolean => graph.nodes.some(isChoice);

const isChoice = (node: Node): boolean => node.opType === 'If' && node.inputs[0] === USE_CACHE;

const identity = (from: string, to: string): Node => ({
  opType: 'Identity',
  domain: '',
  name: to,
  inputs: [from],
  outputs: [to],
  attributes: new Map(),
  metadata: new Map(),
});

/** A tensor of a decoder's key/value cache, as Optimum and transformers.js name its input and output. */
export interface CacheInput {
  /** float [batch, heads, earlier tokens, size], one for the keys and one for the values of each layer. */
  input: ValueInfo;
  /** The output with the new tokens at the end: [batch, heads, earlier and new tokens, size]. */
  present: string;
  heads: number;
  size: number;
}

/** The number of the last tokens that get logits; 0 stands for all. */
const KEPT_LOGITS = ['num_logits_to_keep', 'logits_to_keep'];
/** Chooses between the two decoders of a merged file. */
export const USE_CACHE = 'use_cache_branch';

/** The cache of a decoder; empty for any other model, also for those with a cross-attention cache. */
export function cacheInputs({ inputs, outputs }: Graph): CacheInput[] {
  const given = new Set(outputs.map((o) => o.name));
  const found = inputs.flatMap((input): CacheInput[] => {
    const [, place] = /^past_key_values\.(\d+\.(?:key|value))$/.exec(input.name) ?? [];
    const [, heads, , size] = input.shape ?? [];
    const present = `present.${place}`;
    const fits = place !== undefined && given.has(present) && input.shape?.length === 4;
    if (!fits || !isFloat(input.dtype) || typeof heads !== 'number' || typeof size !== 'number') return [];
    return [{ input, present, heads, size }];
  });
  // Another form among them cannot be left empty.
  return found.length === inputs.filter((i) => i.name.startsWith('past')).length ? found : [];
}

export const keptLogitsInput = ({ inputs }: Graph): ValueInfo | undefined =>
  inputs.find((i) => KEPT_LOGITS.includes(i.name));
