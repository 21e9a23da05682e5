import { tensorName } from '../../adapters/stored-tensors';
import { type LayerFit, type LinearFit, timesA } from '../../adapters/fit/linear-fit';
import { ownValues } from '../../adapters/merge';
import { LORA_BIAS, loraLike } from '../../adapters/methods/lora';
import { methodOf } from '../../adapters/methods/registry';
import type { LayerAdapter } from '../../adapters/targets/select';
import type { Parameters } from '../../engine/stepper';
import { isNonlinear, type LoraSpec } from '../../experiment/methods';
import type { LinearLayer } from '../../graph/layers/linear';
import type { Task } from '../task/task';

export interface FittedOptions {
  /** True for a layer whose format has a place for a bias. */
  biasOf: (layer: LinearLayer) => boolean;
  /** Paths of the layers to replace; by default all that the fit has. */
  layers?: ReadonlySet<string>;
}

/**
 * The task with LoRA adapters in place of those with σ, and its parameters: M A, B and the bias B c; `plainA` and B for a
 * layer without a bias. Rank, alpha and dropout stay. If all layers are replaced, the experiment's adapter is a LoRA too.
 * A fit without layers changes nothing.
 */
export function fittedTask(
  task: Task,
  parameters: Parameters,
  fit: LinearFit,
  { biasOf, layers }: FittedOptions,
): { task: Task; parameters: Map<string, Float32Array> } {
  if (fit.layers.length === 0) return { task, parameters: new Map(parameters) };
  const fits = new Map(fit.layers.map((layer) => [layer.path, layer]));
  const own = new Map(parameters);
  const adapters = task.adapters.map((adapter): LayerAdapter => {
    const { layer, spec, widest } = adapter;
    const found = fits.get(layer.path);
    if (!found || !isNonlinear(spec) || layers?.has(layer.path) === false) return adapter;
    const on = { layer, spec: loraLike(spec, biasOf(layer)), widest };
    const values = loraValues(adapter, found, on.spec, parameters);
    for (const { name } of adapter.tensors) own.delete(tensorName(adapter, name));
    const replaced = { ...on, tensors: methodOf(on.spec).tensors(on) };
    for (const { name } of replaced.tensors) own.set(tensorName(replaced, name), values[name]!);
    return replaced;
  });
  return {
    task: { ...task, adapters, graph: { ...task.graph, adapters }, spec: withLora(task, adapters) },
    parameters: own,
  };
}

/** The experiment with a LoRA, if no adapter with σ is left. */
function withLora({ spec, adapters: before }: Task, adapters: readonly LayerAdapter[]): Task['spec'] {
  const { adapter } = spec;
  if (!isNonlinear(adapter) || before.length === 0) return spec;
  const own = adapters.filter((a) => !a.beside);
  const loras = own.flatMap(({ spec: lora }) => ('loraBias' in lora ? [lora] : []));
  if (loras.length < own.length) return spec;
  return {
    ...spec,
    adapter: loraLike(
      adapter,
      loras.every((lora) => lora.loraBias),
    ),
  };
}

function loraValues(
  adapter: LayerAdapter,
  { M, c, plainA }: LayerFit,
  { loraBias, rank }: LoraSpec,
  parameters: Parameters,
): Record<string, Float32Array> {
  const values = ownValues(adapter, parameters);
  const B = values.B!;
  if (!loraBias) return { A: plainA, B };
  const bias = Float32Array.from({ length: adapter.layer.outFeatures }, (_, o) =>
    c.reduce((sum, constant, r) => sum + B[o * rank + r]! * constant, 0),
  );
  return { A: timesA(M, values.A!), B, [LORA_BIAS]: bias };
}
