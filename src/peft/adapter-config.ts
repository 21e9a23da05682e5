import type { AdapterForm } from '../adapters/methods/method';
import { methodOf } from '../adapters/methods/registry';
import { plainAdapter, plainSpec } from '../adapters/starts/plain-adapter';
import type { LayerAdapter } from '../adapters/targets/select';
import { isSaved } from '../adapters/targets/saved-modules';
import { exactly } from '../adapters/targets/targets';
import type { ModelSource } from '../architectures/model-source';
import { own } from '../base/names';
import type { Experiment } from '../experiment/experiment';
import {
  type AdapterSpec,
  isHeadAlone,
  isRankedByLayer,
  type LoraSpec,
  type TrainedSpec,
} from '../experiment/methods';
import { describeTask } from '../experiment/tasks/registry';
import { pytorchPathOf } from '../graph/layers/linear';
import { baseModel } from './base-model';
import { HEAD_MODULE } from './keys';

type Json = Record<string, unknown>;

/** An experiment and its model, whose adapters are written. */
export interface Adapted {
  spec: Experiment;
  source: ModelSource;
  adapters: readonly LayerAdapter[];
  /** Steps of the whole training, as far as known. */
  steps?: number;
}

/**
 * adapter_config.json as PEFT writes it. For LoRA it has only keys known to every PEFT since 0.7, for DoRA since 0.9, for
 * LoRA with a bias since 0.14, so that none rejects it. One that was split off the weights has the settings of the equal
 * LoRA on them. AuroRA's dynamic form and methods that PEFT lacks, or draws with other random numbers, are
 * separate types.
 *
 * @param form the one that was trained last
 */
export function peftConfig(trained: Adapted, form: AdapterForm): Json {
  const adapted = plain(trained);
  const { adapter } = adapted.spec;
  if (isHeadAlone(adapter)) return { ...common(adapted), peft_type: 'NONE', target_modules: [] };
  const { peft } = methodOf(adapter);
  const shared = Object.entries(tuned(adapted, adapter));
  const lacks: readonly string[] = peft.lacks ?? [];
  const written = peft.write(adapter, form, adapted.steps);
  return {
    ...Object.fromEntries(shared.filter(([key]) => !lacks.includes(key))),
    peft_type: peft.type,
    ...written,
    ...('fan_in_fan_out' in written && areConv1d(adapted) && { fan_in_fan_out: true }),
  };
}

/** With the settings of a LoRA on the original weights. */
const plain = ({ spec, source, adapters, ...more }: Adapted): Adapted => ({
  ...more,
  spec: isHeadAlone(spec.adapter) ? spec : { ...spec, adapter: plainSpec(spec.adapter) },
  source,
  adapters: adapters.map(plainAdapter),
});

type Layers = Pick<Adapted, 'source' | 'adapters'>;

/** GPT-2's layers, whose weights are (in, out); in an ONNX file, weights of both kinds may be. */
const areConv1d = ({ source, adapters }: Layers): boolean =>
  source.kind === 'hub' && adapters.every((a) => a.beside || !a.layer.transposed);

/** LoRA's type, also of its variants. */
export const LORA_TYPE = 'LORA';

/** True if the adapter is one of PEFT's LoRAs: other programs read only these of all that PEFT loads. */
export const isPeftLora = (adapter: AdapterSpec): boolean =>
  !isHeadAlone(adapter) && methodOf(adapter).peft.type === LORA_TYPE;

/** The facts that decide whether PEFT loads an adapter. */
type Loadable = Layers & { spec: Pick<Experiment, 'adapter'> };

/** True if PEFT loads the files of a run: it has the method, and on these modules. */
export const readByPeft = (adapted: Loadable): boolean => {
  const { adapter } = adapted.spec;
  if (isHeadAlone(adapter) || methodOf(adapter).peft.loads === undefined) return false;
  return conv1dRefusedByPeft(adapted) === undefined;
};

/** The path of the first Conv1D among the layers of a method that PEFT has only for other modules. */
export function conv1dRefusedByPeft({ source, adapters, spec }: Loadable): string | undefined {
  const { adapter } = spec;
  if (isHeadAlone(adapter) || !methodOf(adapter).peft.loads?.linearOnly || source.kind !== 'hub')
    return undefined;
  // Weights in few bits are those of Linear layers in any order.
  const refused = adapters.find(({ layer, beside }) => !beside && !layer.transposed && !layer.dequantize);
  return refused && pytorchPathOf(refused.layer);
}

/** True if aurora_peft_loader.py, shipped with the files, loads it. */
export const readByLoader = (adapter: AdapterSpec): boolean =>
  isHeadAlone(adapter) || methodOf(adapter).peft.loader === true;

/**
 * The configuration of the plain LoRA equivalent to another method's static form.
 * @param lora with the rank and alpha of its product
 */
export const staticLoraConfig = (adapted: Adapted, lora: LoraSpec): Json =>
  peftConfig({ ...adapted, spec: { ...adapted.spec, adapter: lora } }, 'dynamic');

const tuned = (adapted: Adapted, adapter: TrainedSpec): Json => ({
  ...common(adapted),
  ...('rank' in adapter && { r: adapter.rank }),
  ...(isRankedByLayer(adapter) && {
    rank_pattern: patternOf(adapter.rankPattern, ['rank', adapter.rank], adapted.adapters),
  }),
  ...('alpha' in adapter && {
    alpha_pattern: patternOf(adapter.alphaPattern, ['alpha', adapter.alpha], adapted.adapters),
  }),
  ...tokenIndices(adapted),
  // Full paths, so that excluded layers and other layers do not match.
  target_modules: adapted.adapters.filter((a) => !a.beside).map((a) => pytorchPathOf(a.layer)),
});

/** PEFT wraps the embedding whose name it finds here. */
function tokenIndices({ adapters }: Adapted): Json {
  const rows = adapters.find((a) => a.beside === 'rows');
  if (!rows || !('tokenIndices' in rows.spec)) return {};
  const name = rows.layer.path.split('.').at(-1)!;
  return { trainable_token_indices: { [name]: rows.spec.tokenIndices } };
}

/** A pattern matches paths without the task model's prefix, so each layer of such a model gets its own value. */
function patternOf(
  pattern: Record<string, number> = {},
  [key, otherwise]: readonly ['rank' | 'alpha', number],
  adapters: readonly LayerAdapter[],
): Record<string, number> {
  if (Object.keys(pattern).length === 0 || adapters.every((a) => a.layer.pytorchPath === undefined))
    return pattern;
  const own = ({ layer, spec }: LayerAdapter) =>
    [exactly(pytorchPathOf(layer)), (spec as unknown as Record<typeof key, number>)[key]] as const;
  return Object.fromEntries(adapters.map(own).filter(([, value]) => value !== otherwise));
}

function common(adapted: Adapted): Json {
  const { spec } = adapted;
  const { type, head } = spec.task;
  const { name, revision, config } = baseModel(spec.model.path);
  const module = head === 'linear' ? headModule(adapted, config) : undefined;
  const { peftTaskType = null, head: hasHead } = describeTask(type);
  return {
    base_model_name_or_path: name,
    // PeftConfig: the specific base model version to use.
    revision,
    bias: 'none',
    inference_mode: true,
    modules_to_save: modulesToSave(adapted, module),
    // With this type, PEFT expects a trained head in the file.
    task_type: module !== undefined || !hasHead ? peftTaskType : null,
  };
}

/** The modules that are saved whole: those of the setting that are there, and the head if they do not include it. */
function modulesToSave({ spec: { adapter }, adapters }: Adapted, head: string | undefined): string[] | null {
  const saved = adapters.filter((a) => a.beside === 'module').map((a) => a.layer.path);
  const wanted = ('modulesToSave' in adapter && adapter.modulesToSave) || [];
  const names = wanted.filter((name) => saved.some((path) => isSaved(path, [name])));
  const all = head === undefined || isSaved(head, names) ? names : [...names, head];
  return all.length > 0 ? all : null;
}

/**
 * The module that has the trained head in PyTorch. Undefined if the head of transformers' class for the task computes
 * something else: PEFT would put the trained one in its place.
 *
 * @param config the base model's config.json
 */
function headModule({ spec, source }: Adapted, config: Json): string | undefined {
  if (source.kind === 'onnx') return HEAD_MODULE;
  return classOfLinearHead(config, spec)?.module;
}

/** The path of the head's module in an adapter's file. */
export const headPath = (adapted: Adapted): string =>
  headModule(adapted, baseModel(adapted.spec.model.path).config) ?? HEAD_MODULE;

/** A class of transformers whose head is a linear layer. */
export interface TaskClass {
  name: string;
  /** The path of that layer. */
  module: string;
}

/**
 * The prefix of the classes of a `model_type`, and the paths of the last layers of their heads, if they have a bias.
 */
interface Family {
  name: string;
  /** On every token. */
  tokens?: string;
  /** The class for texts or images. */
  whole?: string;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  bert: { name: 'Bert', tokens: 'classifier', whole: 'classifier' },
  roberta: { name: 'Roberta', tokens: 'classifier', whole: 'classifier.out_proj' },
  'xlm-roberta': { name: 'XLMRoberta', tokens: 'classifier', whole: 'classifier.out_proj' },
  camembert: { name: 'Camembert', tokens: 'classifier', whole: 'classifier.out_proj' },
  electra: { name: 'Electra', tokens: 'classifier', whole: 'classifier.out_proj' },
  mpnet: { name: 'MPNet', tokens: 'classifier', whole: 'classifier.out_proj' },
  distilbert: { name: 'DistilBert', tokens: 'classifier', whole: 'classifier' },
  albert: { name: 'Albert', tokens: 'classifier', whole: 'classifier' },
  'deberta-v2': { name: 'DebertaV2', tokens: 'classifier', whole: 'classifier' },
  modernbert: { name: 'ModernBert', tokens: 'classifier', whole: 'classifier' },
  deberta: { name: 'Deberta', tokens: 'classifier', whole: 'classifier' },
  nomic_bert: { name: 'NomicBert', tokens: 'classifier', whole: 'classifier' },
  eurobert: { name: 'EuroBert', tokens: 'classifier', whole: 'classifier' },
  roformer: { name: 'RoFormer', tokens: 'classifier', whole: 'classifier.out_proj' },
  ernie: { name: 'Ernie', tokens: 'classifier', whole: 'classifier' },
  rembert: { name: 'RemBert', tokens: 'classifier', whole: 'classifier' },
  'megatron-bert': { name: 'MegatronBert', tokens: 'classifier', whole: 'classifier' },
  mobilebert: { name: 'MobileBert', tokens: 'classifier', whole: 'classifier' },
  'xlm-roberta-xl': { name: 'XLMRobertaXL', tokens: 'classifier', whole: 'classifier.out_proj' },
  'data2vec-text': { name: 'Data2VecText', tokens: 'classifier', whole: 'classifier.out_proj' },
  vit: { name: 'ViT', whole: 'classifier' },
  deit: { name: 'DeiT', whole: 'classifier' },
  dinov2: { name: 'Dinov2', whole: 'classifier' },
  dinov2_with_registers: { name: 'Dinov2WithRegisters', whole: 'classifier' },
  swin: { name: 'Swin', whole: 'classifier' },
  clip: { name: 'CLIP', whole: 'classifier' },
  siglip: { name: 'Siglip', whole: 'classifier' },
  siglip2: { name: 'Siglip2', whole: 'classifier' },
  beit: { name: 'Beit', whole: 'classifier' },
  'data2vec-vision': { name: 'Data2VecVision', whole: 'classifier' },
  convnext: { name: 'ConvNext', whole: 'classifier' },
  convnextv2: { name: 'ConvNextV2', whole: 'classifier' },
  llama: { name: 'Llama', tokens: 'score' },
  mistral: { name: 'Mistral', tokens: 'score' },
  ministral: { name: 'Ministral', tokens: 'score' },
  qwen2: { name: 'Qwen2', tokens: 'score' },
  qwen3: { name: 'Qwen3', tokens: 'score' },
  gemma: { name: 'Gemma', tokens: 'score' },
  gemma2: { name: 'Gemma2', tokens: 'score' },
  phi3: { name: 'Phi3', tokens: 'score' },
  smollm3: { name: 'SmolLM3', tokens: 'score' },
  starcoder2: { name: 'Starcoder2', tokens: 'score' },
  gpt_neox: { name: 'GPTNeoX', tokens: 'classifier' },
  gpt2: { name: 'GPT2', tokens: 'classifier' },
  phi: { name: 'Phi', tokens: 'score' },
  stablelm: { name: 'StableLm', tokens: 'score' },
  nemotron: { name: 'Nemotron', tokens: 'score' },
  helium: { name: 'Helium', tokens: 'score' },
  glm: { name: 'Glm', tokens: 'score' },
  glm4: { name: 'Glm4', tokens: 'score' },
  exaone4: { name: 'Exaone4', tokens: 'score' },
};

/** The input of image classifiers where it is one pooling of the last hidden state. */
const POOLING: ReadonlyMap<string, string> = new Map([
  ['vit', 'first-token'],
  ['deit', 'first-token'],
  ['swin', 'mean'],
  ['siglip', 'mean'],
  ['siglip2', 'mean'],
]);

/** Families whose head for texts is a linear layer on the pooler. */
const READS_POOLER: ReadonlySet<string> = new Set([
  'bert',
  'albert',
  'nomic_bert',
  'ernie',
  'rembert',
  'megatron-bert',
  'mobilebert',
]);
/** Families whose image classifiers read the pooler. */
const POOLED_IMAGES = ['beit', 'data2vec-vision', 'convnext', 'convnextv2'];

/**
 * The class of transformers that computes the same as a trained linear head. A new head on a text is that of BERT or its
 * relatives if it reads the pooler (`model.output`): other heads have two layers, or read a decoder's last token. A
 * folder's own head is that of its class, if the class is for the task.
 *
 * @param config the model's config.json
 */
export function classOfLinearHead(
  config: Readonly<Record<string, unknown>>,
  { task, model }: Experiment,
): TaskClass | undefined {
  const type = String(config.model_type);
  const family = own(FAMILIES, type);
  if (task.head !== 'linear' || !family) return undefined;
  const { input, answer, modelClass } = describeTask(task.type);
  const isPooled = model.output === 'pooler_output';
  const module = answer === 'spans' ? family.tokens : family.whole;
  const isExact =
    task.headWeights === 'model'
      ? String(config.architectures).endsWith(modelClass)
      : input === 'image'
        ? isPooled
          ? POOLED_IMAGES.includes(type)
          : task.pooling === POOLING.get(type)
        : answer === 'spans'
          ? !isPooled && type !== 'modernbert'
          : READS_POOLER.has(type) && isPooled;
  return isExact && module !== undefined ? { name: `${family.name}${modelClass}`, module } : undefined;
}
