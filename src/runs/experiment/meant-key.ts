import { nearest } from '../../base/nearest';

/** The names in PEFT and transformers of settings that have another name here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  r: 'rank',
  lora_alpha: 'alpha',
  lora_dropout: 'dropout',
  peft_type: 'method',
  modules_to_adapt: 'targetModules',
  targets: 'targetModules',
  lr: 'learningRate',
  num_train_epochs: 'epochs',
  per_device_train_batch_size: 'batchSize',
  gradient_accumulation_steps: 'gradientAccumulation',
  lr_scheduler_type: 'schedule',
  max_grad_norm: 'maxGradientNorm',
  max_seq_length: 'maxLength',
  eval_steps: 'evaluateEvery',
  save_steps: 'checkpointEvery',
};

/** The known key that an unknown one most likely stands for; undefined if none is close. */
export function meantKey(key: string, known: readonly string[]): string | undefined {
  const other = Object.hasOwn(ELSEWHERE, key) ? ELSEWHERE[key] : undefined;
  return other !== undefined && known.includes(other) ? other : nearest(key, known);
}
