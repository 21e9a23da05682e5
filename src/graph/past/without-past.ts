import { attrInt } from '../attributes';
import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import type { Graph, Model, Node } from '../model';
import { readsOf } from '../reads';
import { tensorNumbers, tensorOf } from '../values';
import { cacheInputs, keptLogitsInput, type CacheInput } from './cache-inputs';

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
