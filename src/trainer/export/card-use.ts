import type { ExportForm } from '../../protocol/export';
import type { Task } from '../task/task';
import { logitsName } from './head';
import { cardAnswer } from './card-answers';
import { cardInput } from './card-inputs';
import { isNonlinear } from '../../experiment/methods';
import { readByLoader, readByPeft } from '../peft/config';
import { HEAD_KEY } from '../peft/keys';

/** How to use each form, as the card shows it: a sentence and a program. */
export function useOf(form: ExportForm, task: Task): string {
  switch (form) {
    case 'adapter':
      return adapterUse(task);
    case 'peft-lora':
      return peftUse(task);
    case 'onnx-adapter-inputs':
      return swapUse(task);
    default:
      return onnxUse(task);
  }
}

const code = (language: string, lines: readonly string[]): string =>
  ['```' + language, ...lines, '```'].join('\n');

function adapterUse(task: Task): string {
  const { adapter } = task.spec;
  if (readByLoader(adapter)) return loaderUse(task);
  if (readByPeft(adapter)) return peftUse(task);
  return 'Import it into AuroRA Lab with `aurora import`. Neither PEFT nor the PyTorch loader supports this method; for other programs, use `aurora export --as onnx-merged` or `onnx-dynamic`.';
}

const loaderUse = (task: Task): string => {
  const { spec, head } = task;
  const { print } = cardAnswer(task);
  const { inputs, headInputs } = cardInput(task);
  const imported = ['Head', 'inject', 'labels'].filter(
    (name) => (name !== 'Head' || head) && (name !== 'labels' || print.includes('labels(')),
  );
  return [
    '`aurora_peft_loader.py` injects the adapter into a PyTorch model with the same module paths. It requires only PyTorch.',
    code('python', [
      `from aurora_peft_loader import ${imported.join(', ')}`,
      '',
      'model = ...  # the base model in PyTorch, in evaluation mode',
      'inject(model, ".")',
      ...(head
        ? [`hidden = model(${inputs})  # or its .last_hidden_state`, `logits = Head(".")(${headInputs})`]
        : [`logits = model(${inputs})`]),
      print,
    ]),
    ...(isNonlinear(spec.adapter)
      ? [
          'PEFT itself does not support AuroRA. Its static form is a plain LoRA: export it with `aurora export --as peft-lora`.',
        ]
      : ['It is a plain LoRA adapter, so PEFT can load it too.']),
  ].join('\n\n');
};

/** What a head reads. */
const READS = {
  mean: 'mean of the hidden states over all non-padding tokens',
  'first-token': 'hidden state of the first token',
  none: 'hidden states of all tokens',
};

const peftUse = ({ head, data: { scale } }: Task): string =>
  [
    code('python', [
      'from peft import PeftModel',
      '',
      'base = ...  # the base model, such as AutoModel.from_pretrained(...)',
      'model = PeftModel.from_pretrained(base, ".")',
    ]),
    ...(head
      ? [
          `The head is stored as \`${HEAD_KEY.weight}\` and \`.bias\`. It reads the ${READS[head.pooling ?? 'none']}; PEFT loads it if the base model has a module \`classifier\`.${scale ? ` Its output times ${scale.deviation} plus ${scale.mean} is the number.` : ''}`,
        ]
      : []),
  ].join('\n\n');

const feeds = ({ model }: Task): string =>
  model.graph.inputs
    .filter((i) => !model.graph.initializers.has(i.name))
    .map((i) => `"${i.name}": ${i.name}`)
    .join(', ');

const onnxUse = (task: Task): string =>
  [
    `The inputs are those of the base model: ${cardInput(task).holds}. The output \`${logitsName(task)}\` holds ${cardAnswer(task).holds}.`,
    code('python', [
      'import onnxruntime',
      '',
      'session = onnxruntime.InferenceSession("model.onnx")',
      `[logits] = session.run(["${logitsName(task)}"], {${feeds(task)}})`,
    ]),
  ].join('\n\n');

const swapUse = (task: Task): string =>
  [
    'The weights of the adapter are inputs of `model.onnx`, with the same names as the tensors in `adapter.safetensors`. Runs that differ only in rank, alpha and labels produce the same `model.onnx`, so one session can serve them all: pass it the weights of either run. Another activation, spline, centering or pooling produces another model, which accepts these weights too but computes something else. The metadata of `adapter.safetensors` gives the SHA-256 of the right one (`aurora.model`).',
    code('python', [
      'import onnxruntime',
      'from safetensors.numpy import load_file',
      '',
      'session = onnxruntime.InferenceSession("model.onnx")',
      'adapter = load_file("adapter.safetensors")',
      `[logits] = session.run(["${logitsName(task)}"], {${feeds(task)}, **adapter})`,
    ]),
  ].join('\n\n');
