import { AuroraError } from '../../base/errors';
import type { TrainedSpec } from '../../experiment/methods';
import { isWritten } from '../../graph/builder';
import { findLinearLayers, type LinearLayer } from '../../graph/layers/linear';
import type { Graph } from '../../graph/model';
import { layersBeside } from '../../graph/reach';
import type { AdapterTensor } from '../methods/method';
import { wholeLayer } from '../methods/full';
import { methodOf } from '../methods/registry';
import type { LayerAdapter } from './select';

/** Modules that are trained whole beside a method's adapters. */
export interface SavedModules {
  adapters: LayerAdapter[];
  /** Paths of the layers that get no other adapter. */
  paths: ReadonlySet<string>;
  warnings: string[];
}

/** PEFT's rule: a module is meant by the end of its path (utils/other.py, `_set_trainable`), and so is all that is in it. */
export const isSaved = (path: string, names: readonly string[]): boolean =>
  modulesAround(path).some((module) => names.some((name) => module.endsWith(name)));

/** A module and those that it is in: `classifier`, `classifier.dense`. */
const modulesAround = (path: string): string[] => {
  const parts = path.split('.');
  return parts.map((_, i) => parts.slice(0, i + 1).join('.'));
};

/** The names of a module's own tensors in PEFT's file, in which it is stored as in the model. */
const STORED: Readonly<Record<string, string>> = { trained_weight: 'weight', trained_bias: 'bias' };

/**
 * The linear layers that `modulesToSave` names, those of the model's own head too, as layers whose weight and bias are trained
 * (PEFT's modules_to_save). Layers that the output does not depend on are left out: the last one of a head that is trained
 * as the task's, or all of it if the task has a new head.
 *
 * @param layers of the base model, with their paths in PyTorch
 * @throws AuroraError 'targets' for a module with anything but linear layers
 */
export function savedModules(
  graph: Graph,
  layers: readonly LinearLayer[],
  spec: TrainedSpec,
  output?: string,
): SavedModules {
  const names = ('modulesToSave' in spec && spec.modulesToSave) || [];
  if (names.length === 0) return { adapters: [], paths: new Set(), warnings: [] };
  const known = new Map(layers.map((l) => [l.path, l]));
  const found = findLinearLayers(graph, { heads: true })
    .map((l) => known.get(l.path) ?? l)
    .filter((l) => isSaved(l.path, names));
  requireLinear(graph, found, names);
  const beside = new Set(output === undefined ? [] : layersBeside(graph, found, output));
  const saved = found.filter((l) => !beside.has(l.path));
  const warnings = names
    .filter((name) => !saved.some((l) => isSaved(l.path, [name])))
    .map((name) => `modulesToSave: "${name}" matched no module before the loss.`);
  return { adapters: saved.map(savedAdapter), paths: new Set(saved.map((l) => l.path)), warnings };
}

function savedAdapter(layer: LinearLayer): LayerAdapter {
  const spec = wholeLayer(layer.path);
  const on = { layer, spec, widest: layer };
  const tensors = methodOf(spec)
    .tensors(on)
    .map((t): AdapterTensor => ({ ...t, peftName: STORED[t.peftName] ?? t.peftName }));
  return { ...on, tensors, beside: 'module' };
}

function requireLinear(graph: Graph, found: readonly LinearLayer[], names: readonly string[]): void {
  const own = new Set(found.flatMap((l) => [l.weight.name, l.bias?.tensor.name]));
  const isParameter = /^(.+)\.\w+$/;
  const other = [...graph.initializers.keys()].find((name) => {
    const module = isParameter.exec(name)?.[1];
    return module !== undefined && !isWritten(name) && !own.has(name) && isSaved(module, names);
  });
  const packed = found.find((l) => !l.plain || l.firstColumn !== undefined || l.sharedWith.length > 0);
  if (other === undefined && packed === undefined) return;
  throw new AuroraError(
    'targets',
    other !== undefined
      ? `adapter.modulesToSave ${JSON.stringify(names)} includes ${other}, which is no linear layer's.`
      : `adapter.modulesToSave ${JSON.stringify(names)} includes ${packed!.path}, whose weight is quantized or shared with other nodes.`,
    'Name modules that consist of linear layers with weights of their own, such as "classifier" or "score".',
  );
}
