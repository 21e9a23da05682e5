import { storedTensors } from '../adapters/stored-tensors';
import { injectAdapters } from '../adapters/inject';
import type { LayerAdapter } from '../adapters/targets/select';
import { TEXT_INPUTS } from '../data/batch';
import { DType } from '../graph/dtype';
import { adaptableLayers } from '../graph/layers/embeddings';
import { outputsNamed, type Model, type ValueInfo } from '../graph/model';
import { cacheInputs, type CacheInput, isMerged } from '../graph/without-past';
import { fillingPast, lastLogits, withPast } from '../graph/with-past';
import { prune } from '../graph/reads';
import type { TaskGraphSpec } from './task-graph';

/** A language model with adapters and a key/value cache, as the two graphs that write texts. */
export interface DecoderGraphs {
  /** Reads tokens after a cache, which may be empty; its outputs are logits [batch, tokens, vocabulary] and the cache. */
  next: Model;
  /** Reads the beginning of texts, without a cache; its output is the cache. Only of a file with two decoders. */
  first?: Model;
  logits: string;
  cache: readonly CacheInput[];
  /** The inputs that it reads besides the cache. */
  inputs: readonly ValueInfo[];
  /** True if tokens can be left out of a cache and the others keep their positions: texts of any length fit into it. */
  masks: boolean;
}

/**
 * @param file as in its file; one without a cache may have another form with one
 * @returns undefined without a cache, or another form of it than its adapters or its texts need
 */
export function decoderGraphs(
  file: Model,
  { head, output, adapters }: Pick<TaskGraphSpec, 'head' | 'output' | 'adapters'>,
): DecoderGraphs | undefined {
  const original = file.withCache?.() ?? file;
  const cache = cacheInputs(original.graph);
  if (cache.length === 0 || head || cache.some((c) => c.input.dtype !== DType.float)) return undefined;
  const past = new Set(cache.map((c) => c.input.name));
  const present = cache.map((c) => c.present);
  const next = adapted(lastLogits(withPast(original), output), adapters, [output, ...present]);
  const first = isMerged(original) ? adapted(fillingPast(original), adapters, present) : undefined;
  if (!next || (isMerged(original) && !first)) return undefined;
  const trained = new Set(storedTensors(adapters).map(({ name }) => name));
  const inputs = next.graph.inputs.filter((i) => !past.has(i.name) && !trained.has(i.name));
  const names = inputs.map((i) => i.name);
  if (!names.every((name) => TEXT_INPUTS.includes(name))) return undefined;
  // This operator takes a text's tokens from the beginning of the cache, whatever the mask.
  const counts = next.graph.nodes.some((n) => n.opType === 'GroupQueryAttention');
  // A decoder from a folder counts places itself where it has no position_ids.
  const counted = names.includes('position_ids') || file.withCache !== undefined;
  const masks = !counts && names.includes('attention_mask') && counted;
  return { next, first, logits: output, cache, inputs, masks };
}

/** The model with the adapters, whose tensors are inputs. Undefined if one of their layers is not in this graph. */
function adapted(model: Model, adapters: readonly LayerAdapter[], outputs: string[]): Model | undefined {
  const fitted = onModel(model, adapters);
  if (!fitted) return undefined;
  const { graph } = injectAdapters(model.graph, fitted, DType.float);
  for (const { name, tensor } of storedTensors(fitted))
    graph.inputs.push({ name, dtype: DType.float, shape: tensor.dims });
  return { ...model, graph: prune({ ...graph, outputs: outputsNamed(outputs) }) };
}

/** Adapters of one form of a model on the same layers of another form. */
export function onModel(model: Model, adapters: readonly LayerAdapter[]): LayerAdapter[] | undefined {
  const paths = adapters.map((a) => a.layer.path);
  const layers = new Map(adaptableLayers(model.graph).map((layer) => [layer.path, layer] as const));
  if (!paths.every((path) => layers.has(path))) return undefined;
  return adapters.map((a) => ({ ...a, layer: layers.get(a.layer.path)! }));
}
