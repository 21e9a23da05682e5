import type { AdapterForm } from '../../adapters/method';
import type { LayerAdapter } from '../../adapters/select';
import type { AuroraSpec, Experiment, LoraSpec } from '../../shared/experiment';
import { baseModel } from '../base-model';

type Json = Record<string, unknown>;

/**
 * adapter_config.json as PEFT writes it. A LoRA's has only keys that every PEFT since 0.7 knows, so that none refuses
 * it; AuroRA's dynamic form is a type of its own (`AURORA`), because no released PEFT knows it.
 *
 * @param form the one that was trained last
 */
export function peftConfig(spec: Experiment, adapters: readonly LayerAdapter[], form: AdapterForm): Json {
  const { adapter } = spec;
  if (adapter.method === 'none') return { ...common(spec), peft_type: 'NONE', target_modules: [] };
  return adapter.method === 'lora'
    ? loraConfig(spec, adapter, adapters)
    : { ...tuned(spec, adapter, adapters), ...auroraKeys(adapter, form) };
}

/**
 * The static form of AuroRA is a plain LoRA: the same rank and alpha, A by another rule.
 *
 * @param adapter the method that was trained
 */
export const staticLoraConfig = (
  spec: Experiment,
  adapter: AuroraSpec,
  adapters: readonly LayerAdapter[],
): Json => loraConfig(spec, { ...adapter, method: 'lora', useRslora: false }, adapters);

const loraConfig = (
  spec: Experiment,
  adapter: Pick<LoraSpec, 'rank' | 'alpha' | 'dropout' | 'initialization' | 'useRslora' | 'method'> &
    Patterns,
  adapters: readonly LayerAdapter[],
): Json => ({
  ...tuned(spec, adapter, adapters),
  peft_type: 'LORA',
  fan_in_fan_out: false,
  init_lora_weights: adapter.initialization === 'gaussian' ? 'gaussian' : true,
  layers_pattern: null,
  layers_to_transform: null,
  lora_alpha: adapter.alpha,
  lora_dropout: adapter.dropout,
  use_rslora: adapter.useRslora,
});

const auroraKeys = (adapter: AuroraSpec, form: AdapterForm): Json => ({
  peft_type: 'AURORA',
  activation: adapter.activation,
  aurora_alpha: adapter.alpha,
  aurora_dropout: adapter.dropout,
  center_inputs: adapter.centerInputs ?? false,
  fixed: adapter.fixed,
  form,
  grid_range: adapter.gridRange,
  grid_size: adapter.gridSize,
  init_weights: adapter.initialization,
  learnable: adapter.learnable,
  spline_order: adapter.splineOrder,
});

type Patterns = Pick<LoraSpec, 'rank' | 'rankPattern' | 'alphaPattern'>;

const tuned = (spec: Experiment, adapter: Patterns, adapters: readonly LayerAdapter[]): Json => ({
  ...common(spec),
  alpha_pattern: adapter.alphaPattern ?? {},
  r: adapter.rank,
  rank_pattern: adapter.rankPattern ?? {},
  // The full paths: what was excluded, or is of other layers, is not among them.
  target_modules: adapters.map((a) => a.layer.path),
});

const common = (spec: Experiment): Json => ({
  base_model_name_or_path: baseModel(spec.model.path).name,
  bias: 'none',
  inference_mode: true,
  modules_to_save: spec.task.head === 'linear' ? ['classifier'] : null,
  // With this type PEFT looks for a trained head in the file.
  task_type: spec.task.head === 'linear' ? 'SEQ_CLS' : null,
});
