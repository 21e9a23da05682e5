import type { ExportForm, ExportRecord } from '../protocol/export';
import type { Task } from '../training/task/task';
import { logitsName } from './logits-head';
import { cardAnswer } from './card-answers';
import { cardInput } from './card-inputs';
import { cacheInputs, keptLogitsInput, USE_CACHE, isMerged } from '../graph/without-past';
import { isNonlinear } from '../experiment/methods';
import { describeTask } from '../experiment/tasks/registry';
import { headPath, readByLoader, readByPeft } from '../peft/adapter-config';
import { headKeys } from '../peft/keys';
import { HEAD_FILE } from './hub-weights';

/** The use of each form, as the card shows it: a sentence and a program. */
export function useOf({ form, head }: Pick<ExportRecord, 'form' | 'head'>, task: Task): string {
  switch (form) {
    case 'adapter':
      return adapterUse(task);
    case 'peft-lora':
      return peftUse(task);
    case 'onnx-adapter-inputs':
      return swapUse(task);
    case 'safetensors':
      return transformersUse(task, head);
    default:
      return onnxUse(task, form);
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
      ...(head ? headUse(task, inputs, headInputs) : [`logits = model(${inputs})`]),
      print,
    ]),
    ...(isNonlinear(spec.adapter)
      ? [
          'PEFT itself does not support AuroRA. Its static form is a plain LoRA: export it with `aurora export --as peft-lora`.',
        ]
      : ['It is a plain LoRA adapter, so PEFT can load it too.']),
  ].join('\n\n');
};

/** The input of a head. */
const READS = {
  mean: 'mean of the hidden states over all non-padding tokens',
  'first-token': 'hidden state of the first token',
  none: 'hidden states of all tokens',
};

/** The output of the model, one vector for each example, that a head reads in place of hidden states. */
function pooledOutput({ spec, head }: Task): 'pooler_output' | 'head_input' | undefined {
  if (!head?.pooling) return undefined;
  if (spec.task.headWeights === 'model') return 'head_input';
  return spec.model.output === 'pooler_output' ? 'pooler_output' : undefined;
}

function headReads(task: Task): string {
  const output = pooledOutput(task);
  if (output === 'pooler_output') return "pooler's output (`pooler_output`)";
  if (output === 'head_input') return "vector that the last layer of the model's own head reads";
  return READS[task.head?.pooling ?? 'none'];
}

function headUse(task: Task, inputs: string, headInputs: string): string[] {
  const output = pooledOutput(task);
  if (output === 'pooler_output')
    return [`pooled = model(${inputs}).pooler_output`, 'logits = Head(".")(pooled)'];
  if (output === 'head_input')
    return [`pooled = ...  # the ${headReads(task)}`, 'logits = Head(".")(pooled)'];
  return [`hidden = model(${inputs})  # or its .last_hidden_state`, `logits = Head(".")(${headInputs})`];
}

const peftUse = (task: Task): string => {
  const { head, source, data } = task;
  const path = headPath(task);
  const keys = headKeys(path);
  const reads = headReads(task);
  return [
    code('python', [
      'from peft import PeftModel',
      '',
      `base = ...  # the base model, such as ${autoClass(task)}.from_pretrained(...)`,
      'model = PeftModel.from_pretrained(base, ".")',
    ]),
    ...(head
      ? [
          `The head is stored as \`${keys.weight}\` and \`.bias\`. It reads the ${reads}; PEFT loads it if the base model has a module \`${path}\`${source.kind === 'hub' ? ' that is listed in `modules_to_save`: the heads of other classes compute something else' : ''}.${data.scale ? ` Its output times ${data.scale.deviation} plus ${data.scale.mean} is the number.` : ''}`,
        ]
      : []),
  ].join('\n\n');
};

/** transformers' class that has the modules under their paths in the file. */
const autoClass = ({ spec, source }: Task): string =>
  `AutoModel${source.kind === 'hub' ? describeTask(spec.task.type).modelClass : ''}`;

/** True if a form reads a cache: a file with two decoders does, but a graph that we write has only one of them. */
const readsPast = ({ original }: Task, form: ExportForm): boolean =>
  cacheInputs(original.graph).length > 0 && (form === 'onnx-merged' || !isMerged(original));

const feeds = (task: Task, form: ExportForm): string => {
  const { graph } = task.model;
  const own = graph.inputs.filter((i) => !graph.initializers.has(i.name));
  const named = own.map((i) => `"${i.name}": ${i.name}`);
  return [...named, ...(readsPast(task, form) ? ['**past'] : [])].join(', ');
};

/** The objects that the program needs besides a session. */
const preparation = (task: Task, form: ExportForm): { imports: string[]; past: string[] } => {
  const kept = keptLogitsInput(task.original.graph);
  if (!readsPast(task, form)) return { imports: [], past: [] };
  return {
    imports: ['import numpy'],
    past: [
      '# An empty cache: the text begins here. The next tokens take the outputs present.* instead.',
      'cache = [i for i in session.get_inputs() if i.name.startswith("past_key_values.")]',
      'past = {i.name: numpy.zeros([len(input_ids), i.shape[1], 0, i.shape[3]], "float32") for i in cache}',
      ...(kept
        ? [`past["${kept.name}"] = numpy.array(${kept.shape?.length ? '[0]' : '0'})  # all logits`]
        : []),
      ...(isMerged(task.original) ? [`past["${USE_CACHE}"] = numpy.array([False])`] : []),
    ],
  };
};

/** @param head the class that has it, or the file beside the model */
function transformersUse(task: Task, head: string | undefined): string {
  const { inputs } = cardInput(task);
  const beside = head === HEAD_FILE;
  const name = beside ? 'AutoModel' : (head ?? autoClass(task));
  return [
    ...(beside
      ? [
          `transformers has no class whose head computes what was trained here, so the folder holds the model without it. The head is in \`${HEAD_FILE}\`: logits = pooled · weightᵀ + bias, where pooled is the ${headReads(task)}.`,
        ]
      : []),
    code('python', [
      `from transformers import ${name}`,
      '',
      `model = ${name}.from_pretrained(".").eval()`,
      ...(beside ? [`hidden = model(${inputs}).last_hidden_state`] : [`logits = model(${inputs}).logits`]),
    ]),
  ].join('\n\n');
}

function onnxUse(task: Task, form: ExportForm): string {
  const { imports, past } = preparation(task, form);
  return [
    `The inputs are those of the base model: ${cardInput(task).holds}. The output \`${logitsName(task)}\` holds ${cardAnswer(task).holds}.`,
    code('python', [
      ...imports,
      'import onnxruntime',
      '',
      'session = onnxruntime.InferenceSession("model.onnx")',
      ...past,
      `[logits] = session.run(["${logitsName(task)}"], {${feeds(task, form)}})`,
    ]),
  ].join('\n\n');
}

function swapUse(task: Task): string {
  const { imports, past } = preparation(task, 'onnx-adapter-inputs');
  return [
    'The weights of the adapter are inputs of `model.onnx`, with the same names as the tensors in `adapter.safetensors`. Runs that differ only in rank, alpha and labels produce the same `model.onnx`, so one session can serve them all: pass it the weights of either run. Another activation, spline, centering or pooling produces another model, which accepts these weights too but computes something else. The metadata of `adapter.safetensors` gives the SHA-256 of the right one (`aurora.model`).',
    code('python', [
      ...imports,
      'import onnxruntime',
      'from safetensors.numpy import load_file',
      '',
      'session = onnxruntime.InferenceSession("model.onnx")',
      ...past,
      'adapter = load_file("adapter.safetensors")',
      `[logits] = session.run(["${logitsName(task)}"], {${feeds(task, 'onnx-adapter-inputs')}, **adapter})`,
    ]),
  ].join('\n\n');
}
