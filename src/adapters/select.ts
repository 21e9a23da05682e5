import { AuroraError } from '../shared/errors';
import type { AdapterSpec, AuroraSpec, LoraSpec } from '../shared/experiment';
import type { LinearLayer } from '../graph/linear';
import type { Graph } from '../graph/model';
import { elementCount } from '../graph/model';
import type { AdapterTensor } from './method';
import { methodOf } from './registry';
import { fromPattern, matchTargets, nearestPaths } from './targets';

/** An adapter on one layer: rank and alpha are this layer's own, after rankPattern and alphaPattern. */
export interface LayerAdapter {
  layer: LinearLayer;
  spec: AuroraSpec | LoraSpec;
  tensors: AdapterTensor[];
}

export interface Selection {
  adapters: LayerAdapter[];
  warnings: string[];
}

/** Which layers get an adapter. Targets that match nothing are an error with the nearest names. */
export function selectAdapters(graph: Graph, layers: readonly LinearLayer[], spec: AdapterSpec): Selection {
  if (spec.method === 'none') return { adapters: [], warnings: [] };
  const paths = layers.map((l) => l.path);
  const { matched, unmatched } = matchTargets(paths, spec, outputLayers(graph, layers));
  if (matched.length === 0) throw nothingMatched(spec, paths);
  const warnings = unmatched.map(
    (t) => `targetModules: "${t}" matched no module (nearest: ${nearestPaths(t, paths).join(', ')}).`,
  );
  const adapters = layers
    .filter((l) => matched.includes(l.path))
    .map((layer) => {
      const own = {
        ...spec,
        rank: fromPattern(layer.path, spec.rankPattern, spec.rank),
        alpha: fromPattern(layer.path, spec.alphaPattern, spec.alpha),
      };
      checkRank(layer, own.rank);
      return { layer, spec: own, tensors: methodOf(own).tensors(layer, own) };
    });
  return { adapters, warnings };
}

/** Trainable numbers of a set of adapters. */
export const parameterCount = (adapters: readonly LayerAdapter[]): number =>
  adapters.reduce((sum, a) => sum + a.tensors.reduce((s, t) => s + elementCount(t.dims), 0), 0);

function checkRank(layer: LinearLayer, rank: number): void {
  const limit = Math.min(layer.inFeatures, layer.outFeatures);
  if (rank > limit)
    throw new AuroraError(
      'rank',
      `adapter.rank ${rank} is larger than the layer ${layer.path} (${layer.outFeatures} × ${layer.inFeatures}): its rank is at most ${limit}.`,
      'Choose a smaller rank, or give this layer its own in adapter.rankPattern.',
    );
}

function nothingMatched(spec: AuroraSpec | LoraSpec, paths: string[]): AuroraError {
  const wanted = Array.isArray(spec.targetModules) ? spec.targetModules : [spec.targetModules];
  const near = [...new Set(wanted.flatMap((t) => nearestPaths(t, paths)))].slice(0, 6);
  const what = wanted.map((t) => `"${t}"`).join(', ');
  return new AuroraError(
    'targets',
    paths.length
      ? `adapter.targetModules ${what} matched none of the ${paths.length} linear layers. Nearest: ${near.join(', ')}.`
      : `The model has no linear layers with constant weights, so there is nothing to adapt.`,
    'Run `aurora inspect MODEL` for all module paths, or use "all-linear".',
  );
}

/** Layers whose output is the model's own output: "all-linear" leaves them out, as PEFT does. */
function outputLayers(graph: Graph, layers: readonly LinearLayer[]): string[] {
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const biased = new Map(
    graph.nodes.filter((n) => n.opType === 'Add').flatMap((n) => n.inputs.map((x) => [x, n.outputs[0]])),
  );
  return layers
    .filter((l) => l.calls.some((c) => outputs.has(c.output) || outputs.has(biased.get(c.output) ?? '')))
    .map((l) => l.path);
}
