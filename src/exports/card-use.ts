import { methodOf } from '../adapters/methods/registry';
import { codeSpan } from '../base/escape';
import { PATCH_INPUTS, readsPatches } from '../experiment/image-inputs';
import { isHeadAlone, isNonlinear, methodName } from '../experiment/methods';
import { statedScoring } from '../experiment/scoring';
import { ANSWERS, type AnswerInCard } from '../experiment/tasks/kind';
import { describeTask } from '../experiment/tasks/registry';
import { cacheInputs, keptLogitsInput, USE_CACHE, isMerged } from '../graph/without-past';
import type { BaseModel } from '../peft/base-model';
import { conv1dRefusedByPeft, headPath, isPeftLora, readByLoader, readByPeft } from '../peft/adapter-config';
import { headKeys } from '../peft/keys';
import type { ExportForm, ExportRecord } from '../protocol/export';
import type { Part } from '../protocol/reports/report';
import type { Task } from '../training/task/task';
import { ADAPTER_FILE, MODEL_FILE, MODELFILE } from './gguf/file-names';
import { kohyaFile, kohyaStem } from './kohya-lora';
import { logitsName } from './logits-head';
import { HEAD_FILE } from './hub-weights';

/**
 * Instructions for loading the files of a form: sentences and a program.
 *
 * @param name of the experiment
 */
export function useOf(
  { form, head, fit }: Pick<ExportRecord, 'form' | 'head' | 'fit'>,
  task: Task,
  base: BaseModel,
  name: string,
): Part[] {
  const isPicture = describeTask(task.spec.task.type).answer === 'picture';
  switch (form) {
    case 'adapter':
      return isPicture ? pictureAdapterUse(task, base.name) : adapterUse(task);
    case 'peft-lora':
      return isPicture
        ? [drawing(task, base.name, ['pipeline.load_lora_weights(".")'])]
        : peftUse(task, loraNeeds(task, fit));
    case 'kohya':
      return kohyaUse(task, name);
    case 'onnx-adapter-inputs':
      return swapUse(task);
    case 'safetensors':
      return isPicture ? [drawing(task, '.', [])] : transformersUse(task, head);
    case 'gguf-lora':
      return ggufLoraUse(base);
    case 'gguf':
      return ggufUse();
    default:
      return onnxUse(task, form);
  }
}

const python = (lines: readonly string[]): Part => ({ program: lines.join('\n'), language: 'python' });

function adapterUse(task: Task): Part[] {
  const { adapter } = task.spec;
  if (readByLoader(adapter)) return loaderUse(task);
  if (readByPeft(task)) return peftUse(task, releaseFor(task));
  const conv1d = conv1dRefusedByPeft(task);
  const unsupported =
    conv1d === undefined
      ? 'Neither PEFT nor the PyTorch loader supports this method'
      : `PEFT has this method for Linear modules only, and \`${conv1d}\` is a Conv1D; the PyTorch loader does not support it`;
  return [
    `Import it into AuroRA Lab with \`aurora import\`. ${unsupported}; for other programs, use \`aurora export --as onnx-merged\` or \`onnx-dynamic\`.`,
  ];
}

function loaderUse(task: Task): Part[] {
  const { spec, head } = task;
  const { print } = cardAnswer(task);
  const { inputs, headInputs } = cardInput(task);
  const imported = ['Head', 'inject', 'labels'].filter(
    (name) => (name !== 'Head' || head) && (name !== 'labels' || print.includes('labels(')),
  );
  return [
    '`aurora_peft_loader.py` injects the adapter into a PyTorch model with the same module paths. It requires only PyTorch.',
    python([
      `from aurora_peft_loader import ${imported.join(', ')}`,
      '',
      'model = ...  # the base model in PyTorch, in evaluation mode',
      'inject(model, ".")',
      ...(head ? headUse(task, inputs, headInputs) : [`logits = model(${inputs})`]),
      print,
    ]),
    isNonlinear(spec.adapter)
      ? 'PEFT itself does not support AuroRA. `aurora export --as peft-lora` writes a LoRA in its place, with a linear fit of its nonlinearity.'
      : `It is a plain LoRA adapter, so ${hasBias(task) ? 'PEFT 0.14 or newer' : 'PEFT'} can load it too.`,
  ];
}

function pictureAdapterUse(task: Task, name: string): Part[] {
  const { adapter } = task.spec;
  if (!readByLoader(adapter))
    return [
      'Import it into AuroRA Lab with `aurora import`. For diffusers, use `aurora export --as peft-lora` or `safetensors`.',
    ];
  return [
    '`aurora_peft_loader.py` injects the adapter into a pipeline of diffusers. It requires only PyTorch.',
    drawing(task, name, ['inject(pipeline, ".")'], ['from aurora_peft_loader import inject']),
    isNonlinear(adapter)
      ? 'diffusers itself does not support AuroRA. `aurora export --as peft-lora` writes a LoRA in its place, with a linear fit of its nonlinearity.'
      : '`aurora export --as peft-lora` writes the same in diffusers’ layout, for `load_lora_weights`.',
  ];
}

function kohyaUse({ spec: { task } }: Task, experiment: string): Part[] {
  const file = kohyaFile(experiment);
  const prompt = task.instancePrompt ?? 'a photo';
  return [
    {
      list: [
        `ComfyUI: copy \`${file}\` into \`models/loras\` and choose it in a *Load LoRA* node.`,
        `AUTOMATIC1111 and Forge: copy it into \`models/Lora\` and write \`<lora:${kohyaStem(experiment)}:1>\` into a prompt, as in ${codeSpan(`${prompt} <lora:…:1>`)}.`,
        `diffusers: \`pipeline.load_lora_weights(".", weight_name="${file}")\`.`,
      ],
    },
  ];
}

/**
 * The program that draws a picture with a pipeline of diffusers.
 *
 * @param name of the pipeline, on the hub or on disk
 */
const drawing = (task: Task, name: string, adapting: string[], imports: string[] = []): Part =>
  python([
    ...imports,
    'from diffusers import DiffusionPipeline',
    '',
    `pipeline = DiffusionPipeline.from_pretrained(${JSON.stringify(name)})`,
    ...adapting,
    `pipeline(${JSON.stringify(promptOf(task))}).images[0].save("picture.png")`,
  ]);

/** The prompt of the experiment; where images have captions, that of the first. */
const promptOf = ({ spec: { task, training } }: Task): string =>
  training.pictures?.prompts[0] ?? task.instancePrompt ?? 'a photo';

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

const hasBias = ({ adapters }: Task): boolean =>
  adapters.some(({ spec, layer }) => methodOf(spec).changesBias?.(spec, layer));

/** The release of PEFT that a method needs, if it is not an old one. */
function releaseFor(task: Task): Part[] {
  const { adapter } = task.spec;
  if (isHeadAlone(adapter) || isPeftLora(adapter)) return hasBias(task) ? [BIASES_NEED] : [];
  const { loads } = methodOf(adapter).peft;
  return loads ? [`${methodName(adapter)} needs PEFT ${loads.since} or newer.`] : [];
}

/** The release that the LoRA needs which a method is written as. */
const loraNeeds = (task: Task, fit: ExportRecord['fit']): Part[] =>
  hasBias(task) || fit?.withBias ? [BIASES_NEED] : [];

const BIASES_NEED = 'Its biases (`lora_bias`) need PEFT 0.14 or newer.';

/** @param needs the sentences on the release of PEFT */
function peftUse(task: Task, needs: Part[]): Part[] {
  const { head, source, data } = task;
  const path = headPath(task);
  const keys = headKeys(path);
  return [
    python([
      'from peft import PeftModel',
      '',
      `base = ...  # the base model, such as ${autoClass(task)}.from_pretrained(...)`,
      'model = PeftModel.from_pretrained(base, ".")',
    ]),
    ...needs,
    ...(head
      ? [
          `The head is stored as \`${keys.weight}\` and \`.bias\`. It reads the ${headReads(task)}; PEFT loads it if the base model has a module \`${path}\`${source.kind === 'hub' ? ' that is listed in `modules_to_save`: the heads of other classes compute something else' : ''}.${data.scale ? ` Its output times ${data.scale.deviation} plus ${data.scale.mean} is the number.` : ''}`,
        ]
      : []),
  ];
}

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
function transformersUse(task: Task, head: string | undefined): Part[] {
  const { inputs } = cardInput(task);
  const beside = head === HEAD_FILE;
  const name = beside ? 'AutoModel' : (head ?? autoClass(task));
  return [
    ...(beside
      ? [
          `transformers has no class whose head computes what was trained here, so the folder holds the model without it. The head is in \`${HEAD_FILE}\`: logits = pooled · weightᵀ + bias, where pooled is the ${headReads(task)}.`,
        ]
      : []),
    python([
      `from transformers import ${name}`,
      '',
      `model = ${name}.from_pretrained(".").eval()`,
      beside ? `hidden = model(${inputs}).last_hidden_state` : `logits = model(${inputs}).logits`,
    ]),
  ];
}

const shell = (lines: readonly string[]): Part => ({ program: lines.join('\n'), language: 'sh' });

function ggufUse(): Part[] {
  return [
    'llama.cpp, and programs that are built on it, load it:',
    shell([`llama-cli -m ${MODEL_FILE}`]),
    'For Ollama, `Modelfile` has the template, stop words and parameters:',
    shell([`ollama create NAME -f ${MODELFILE}`, 'ollama run NAME']),
  ];
}

function ggufLoraUse({ name }: BaseModel): Part[] {
  return [
    `llama.cpp loads it beside a GGUF file of ${name}:`,
    shell([`llama-cli -m base.gguf --lora ${ADAPTER_FILE}`]),
    `For Ollama, name that model in the first line of \`${MODELFILE}\`:`,
    shell([`ollama create NAME -f ${MODELFILE}`, 'ollama run NAME']),
  ];
}

function onnxUse(task: Task, form: ExportForm): Part[] {
  const { imports, past } = preparation(task, form);
  return [
    `The inputs are those of the base model: ${cardInput(task).holds}. The output \`${logitsName(task)}\` holds ${cardAnswer(task).holds}.`,
    python([
      ...imports,
      'import onnxruntime',
      '',
      'session = onnxruntime.InferenceSession("model.onnx")',
      ...past,
      `[logits] = session.run(["${logitsName(task)}"], {${feeds(task, form)}})`,
    ]),
  ];
}

function swapUse(task: Task): Part[] {
  const { imports, past } = preparation(task, 'onnx-adapter-inputs');
  return [
    'The weights of the adapter are inputs of `model.onnx`, with the same names as the tensors in `adapter.safetensors`. Runs that differ only in rank, alpha and labels produce the same `model.onnx`, so one session can serve them all: pass it the weights of either run. Another activation, spline, centering or pooling produces another model, which accepts these weights too but computes something else. The metadata of `adapter.safetensors` gives the SHA-256 of the right one (`aurora.model`).',
    python([
      ...imports,
      'import onnxruntime',
      'from safetensors.numpy import load_file',
      '',
      'session = onnxruntime.InferenceSession("model.onnx")',
      ...past,
      'adapter = load_file("adapter.safetensors")',
      `[logits] = session.run(["${logitsName(task)}"], {${feeds(task, 'onnx-adapter-inputs')}, **adapter})`,
    ]),
  ];
}

/** The input of a model, by its shape, in the words of the card. */
interface CardInput {
  /** The preparation of inputs in training, as a sentence of the section on data. */
  prepared: string;
  /** The content of an ONNX model's inputs, at the end of a sentence. */
  holds: string;
  /** The arguments of the model and of the head after the hidden states, in Python. */
  inputs: string;
  headInputs: string;
}

/** The trained graph predicts noise; a pipeline of diffusers prepares its inputs. */
const PICTURES: CardInput = {
  prepared: 'Images are resized, and cropped to a square, as diffusers’ DreamBooth scripts do.',
  holds: 'latents, timesteps and what the text encoders give, as diffusers’ pipelines feed them',
  inputs: 'sample, timestep, encoder_hidden_states',
  headInputs: '',
};

export function cardInput({ spec: { task, model }, model: { graph } }: Task): CardInput {
  if (describeTask(task.type).answer === 'picture') return PICTURES;
  if (describeTask(task.type).input === 'image')
    return {
      prepared: 'Images are resized and normalized as in `preprocessor_config.json` of the base model.',
      holds: 'images, prepared as in `preprocessor_config.json`',
      ...(readsPatches(graph.inputs)
        ? { inputs: Object.values(PATCH_INPUTS).join(', '), headInputs: `hidden, ${PATCH_INPUTS.mask}` }
        : { inputs: 'pixel_values', headInputs: 'hidden' }),
    };
  return {
    prepared: `Texts are truncated to ${model.maxLength} tokens.`,
    holds: `token ids from \`tokenizer.json\`, at most ${model.maxLength} per text`,
    inputs: 'input_ids, attention_mask',
    headInputs: 'hidden, attention_mask',
  };
}

export const cardAnswer = ({ spec: { task, model }, data }: Task): AnswerInCard =>
  ANSWERS[describeTask(task.type).answer].card(data.labels, statedScoring(task, model.maxLength));
