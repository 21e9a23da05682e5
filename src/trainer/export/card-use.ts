import type { ExportForm } from '../../protocol/export';
import type { Task } from '../task/task';
import { logitsName } from './head';
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
  return 'AuroRA Lab reads it with `aurora import`. Neither PEFT nor the loader for PyTorch knows this method: for other programs there are `aurora export --as onnx-merged` and `onnx-dynamic`.';
}

const loaderUse = ({ spec, head }: Task): string =>
  [
    '`aurora_peft_loader.py` puts the adapter into a PyTorch model whose modules have these paths. It needs PyTorch and nothing else.',
    code('python', [
      'from aurora_peft_loader import Head, inject, labels',
      '',
      'model = ...  # the base model in PyTorch, in evaluation mode',
      'inject(model, ".")',
      ...(head
        ? [
            'hidden = model(input_ids, attention_mask)  # or its .last_hidden_state',
            'logits = Head(".")(hidden, attention_mask)',
          ]
        : ['logits = model(input_ids, attention_mask)']),
      'print(labels(".")[int(logits[0].argmax())])',
    ]),
    ...(isNonlinear(spec.adapter)
      ? ['PEFT itself knows no AuroRA: its static form, a plain LoRA, is `aurora export --as peft-lora`.']
      : ['It is a plain LoRA adapter, so PEFT loads it as well.']),
  ].join('\n\n');

const peftUse = ({ head, spec }: Task): string =>
  [
    code('python', [
      'from peft import PeftModel',
      '',
      'base = ...  # the base model, such as AutoModel.from_pretrained(...)',
      'model = PeftModel.from_pretrained(base, ".")',
    ]),
    ...(head
      ? [
          `The head is in the file as \`${HEAD_KEY.weight}\` and \`.bias\`. It reads the ${spec.task.pooling === 'mean' ? 'mean of the hidden states over all tokens that are not padding' : 'hidden state of the first token'}; PEFT loads it where the base model has a module \`classifier\`.`,
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
    `Inputs are those of the base model, with token ids of \`tokenizer.json\`, at most ${task.spec.model.maxLength} of them; \`${logitsName(task)}\` are the logits, in the order of the labels below.`,
    code('python', [
      'import onnxruntime',
      '',
      'session = onnxruntime.InferenceSession("model.onnx")',
      `[logits] = session.run(["${logitsName(task)}"], {${feeds(task)}})`,
    ]),
  ].join('\n\n');

const swapUse = (task: Task): string =>
  [
    'The numbers of the adapter are inputs of `model.onnx`, called as the tensors of `adapter.safetensors`. Runs that differ in rank, alpha and labels alone make the same `model.onnx`: one session serves them all, with the numbers of one or another. With another activation, spline, centring or pooling it is another model, into which these numbers fit all the same: `adapter.safetensors` names the one that it is for, in its metadata, by the SHA-256 (`aurora.model`).',
    code('python', [
      'import onnxruntime',
      'from safetensors.numpy import load_file',
      '',
      'session = onnxruntime.InferenceSession("model.onnx")',
      'adapter = load_file("adapter.safetensors")',
      `[logits] = session.run(["${logitsName(task)}"], {${feeds(task)}, **adapter})`,
    ]),
  ].join('\n\n');
