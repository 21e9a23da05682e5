import { findLinearLayers } from '../graph/layers/linear';
import type { Graph, Model } from '../graph/model';
import { convolutionsAsLinear, pixelConvolutions } from '../graph/passes/pixel-convolutions';
import type { AdapterFolder } from './adapter-folder';
import { adapterModules } from './fit';
import { kohyaPaths } from './kohya-names';

/**
 * The model with the convolutions of single pixels that adapters from disk are on as linear layers, such as `proj_in` of
 * Stable Diffusion 1, which kohya's scripts adapt. The same model if there are none.
 */
export function withAdaptedConvolutions(model: Model, adapters: readonly AdapterFolder[]): Model {
  const chosen = adaptedConvolutions(model.graph, adapters);
  return chosen.size === 0 ? model : { ...model, graph: convolutionsAsLinear(model.graph, chosen) };
}

/** Their paths. */
export function adaptedConvolutions(graph: Graph, adapters: readonly AdapterFolder[]): Set<string> {
  const convolutions = [...pixelConvolutions(graph).keys()];
  if (convolutions.length === 0) return new Set();
  const modules = adapters.flatMap((from) => [...adapterModules(from).modules.keys()]);
  const named = kohyaPaths([...findLinearLayers(graph).map(({ path }) => path), ...convolutions]);
  const adapted = new Set(modules.map((module) => named.get(module) ?? module));
  return new Set(convolutions.filter((path) => adapted.has(path)));
}
