import { isNonlinear } from '../experiment/methods';
import type { ExportForm } from '../protocol/export';
import type { BaseModel } from '../peft/base-model';
import { readByLoader } from '../peft/adapter-config';
import type { Task } from '../training/task/task';

/** The program that draws pictures with an export of a pipeline by diffusers; undefined for the forms in ONNX. */
export function pictureUse(form: ExportForm, task: Task, { name }: BaseModel): string | undefined {
  switch (form) {
    case 'adapter':
      return adapterUse(task, name);
    case 'peft-lora':
      return program(task, name, ['pipeline.load_lora_weights(".")']);
    case 'safetensors':
      return program(task, '.', []);
    default:
      return undefined;
  }
}

const adapterUse = (task: Task, name: string): string => {
  const { adapter } = task.spec;
  if (!readByLoader(adapter))
    return 'Import it into AuroRA Lab with `aurora import`. For diffusers, use `aurora export --as peft-lora` or `safetensors`.';
  return [
    '`aurora_peft_loader.py` injects the adapter into a pipeline of diffusers. It requires only PyTorch.',
    program(task, name, ['inject(pipeline, ".")'], ['from aurora_peft_loader import inject']),
    isNonlinear(adapter)
      ? 'diffusers itself does not support AuroRA. Its static form is a plain LoRA: export it with `aurora export --as peft-lora`.'
      : '`aurora export --as peft-lora` writes the same in diffusers’ layout, for `load_lora_weights`.',
  ].join('\n\n');
};

/** @param name of the pipeline, on the hub or on disk */
const program = (task: Task, name: string, adapting: string[], imports: string[] = []): string =>
  [
    '```python',
    ...imports,
    'from diffusers import DiffusionPipeline',
    '',
    `pipeline = DiffusionPipeline.from_pretrained(${JSON.stringify(name)})`,
    ...adapting,
    `pipeline(${JSON.stringify(promptOf(task))}).images[0].save("picture.png")`,
    '```',
  ].join('\n');

/** The prompt of the experiment; where images have captions, that of the first. */
const promptOf = ({ spec: { task, training } }: Task): string =>
  training.pictures?.prompts[0] ?? task.instancePrompt ?? 'a photo';
