import { join } from 'node:path';
import { tensorName } from '../../adapters/inject';
import type { LayerAdapter } from '../../adapters/select';
import { writeAtomic } from '../../graph/files';
import { encodeSafetensors, readSafetensors, type FloatTensor } from '../../graph/safetensors';
import { AuroraError } from '../../shared/errors';
import type { Experiment } from '../../shared/experiment';
import { HEAD_BIAS, HEAD_WEIGHT } from '../initialize';

/** HF PEFT prefixes every key with the names of its two wrappers. */
const PREFIX = 'base_model.model.';

/**
 * Writes an adapter in PEFT's file layout. A LoRA adapter loads in PEFT as it is; the dynamic form of AuroRA
 * is a type of its own (`AURORA`) under the same layout, because no released PEFT knows it.
 */
export function writePeftAdapter(
  folder: string,
  spec: Experiment,
  adapters: readonly LayerAdapter[],
  parameters: ReadonlyMap<string, Float32Array>,
  labels: readonly string[],
): void {
  const tensors = new Map<string, FloatTensor>();
  for (const a of adapters)
    for (const t of a.tensors)
      tensors.set(`${PREFIX}${a.layer.path}.${t.peftName}`, {
        dims: t.dims,
        data: parameters.get(tensorName(a, t.name))!,
      });
  const weight = parameters.get(HEAD_WEIGHT);
  if (weight) {
    tensors.set(`${PREFIX}classifier.weight`, {
      dims: [labels.length, weight.length / labels.length],
      data: weight,
    });
    tensors.set(`${PREFIX}classifier.bias`, { dims: [labels.length], data: parameters.get(HEAD_BIAS)! });
  }
  writeAtomic(
    join(folder, 'adapter_config.json'),
    `${JSON.stringify(config(spec, adapters, labels), sortedKeys, 2)}\n`,
  );
  writeAtomic(join(folder, 'adapter_model.safetensors'), encodeSafetensors(tensors, { format: 'pt' }));
}

function config(
  spec: Experiment,
  adapters: readonly LayerAdapter[],
  labels: readonly string[],
): Record<string, unknown> {
  const common = {
    base_model_name_or_path: spec.model.path,
    bias: 'none',
    inference_mode: true,
    label_names: labels,
    modules_to_save: spec.task.head === 'linear' ? ['classifier'] : null,
    pooling: spec.task.head === 'linear' ? spec.task.pooling : null,
    task_type: 'SEQ_CLS',
  };
  const { adapter } = spec;
  if (adapter.method === 'none') return { ...common, peft_type: 'NONE', target_modules: [] };
  const tuned = {
    ...common,
    exclude_modules: adapter.excludeModules ?? null,
    layers_pattern: adapter.layersPattern ?? null,
    layers_to_transform: adapter.layersToTransform ?? null,
    r: adapter.rank,
    rank_pattern: adapter.rankPattern ?? {},
    alpha_pattern: adapter.alphaPattern ?? {},
    // The full paths, so that the file says what it was trained on whatever the model's names.
    target_modules: adapters.map((a) => a.layer.path),
  };
  if (adapter.method === 'lora')
    return {
      ...tuned,
      peft_type: 'LORA',
      fan_in_fan_out: false,
      init_lora_weights: adapter.initialization === 'gaussian' ? 'gaussian' : true,
      lora_alpha: adapter.alpha,
      lora_dropout: adapter.dropout,
      use_rslora: adapter.useRslora,
    };
  return {
    ...tuned,
    peft_type: 'AURORA',
    activation: adapter.activation,
    aurora_alpha: adapter.alpha,
    aurora_dropout: adapter.dropout,
    fixed: adapter.fixed,
    grid_range: adapter.gridRange,
    grid_size: adapter.gridSize,
    init_weights: adapter.initialization,
    learnable: adapter.learnable,
    spline_order: adapter.splineOrder,
  };
}

/** PEFT writes its configuration with sorted keys. */
function sortedKeys(_: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Reads back what `writePeftAdapter` wrote, by the names the graph uses. */
export function readPeftAdapter(
  folder: string,
  adapters: readonly LayerAdapter[],
): Map<string, Float32Array> {
  const path = join(folder, 'adapter_model.safetensors');
  const { tensors } = readSafetensors(path);
  const take = (key: string): Float32Array => {
    const found = tensors.get(key);
    if (!found)
      throw new AuroraError(
        'run',
        `${path} has no tensor ${key}.`,
        'It belongs to another experiment, or was changed.',
      );
    return found.data;
  };
  const values = new Map<string, Float32Array>();
  for (const a of adapters)
    for (const t of a.tensors)
      values.set(tensorName(a, t.name), take(`${PREFIX}${a.layer.path}.${t.peftName}`));
  if (tensors.has(`${PREFIX}classifier.weight`)) {
    values.set(HEAD_WEIGHT, take(`${PREFIX}classifier.weight`));
    values.set(HEAD_BIAS, take(`${PREFIX}classifier.bias`));
  }
  return values;
}
