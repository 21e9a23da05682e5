import type { FloatTensor } from '../graph/file/safetensors';
import { AuroraError } from '../base/errors';
import { PREFIX } from './keys';
import type { AdapterFolder } from './folder';
import { peftParts } from '../adapters/methods/registry';

/** An adapter's tensors, by module. */
export interface AdapterModules {
  /** By module path as in the file, then by the tensor's own key, such as lora_A.weight. */
  modules: Map<string, Map<string, FloatTensor>>;
  /** With the path of its module: `classifier.out_proj` is the last of two layers. */
  head: { module: string; weight: FloatTensor; bias?: FloatTensor } | undefined;
}

const PART = new RegExp(
  `^(.+)\\.(${peftParts()
    .map((part) => part.replaceAll('.', '\\.'))
    .join('|')})$`,
);
/** PEFT's names for sequence classification heads, by model family. */
const HEAD = /^(?:.+\.)?(classifier(?:\.out_proj)?|score)\.(weight|bias)$/;
/** Parts of LoRA variants that are not supported here. */
const VARIANTS: readonly [RegExp, string][] = [
  [/lora_embedding_[AB]/, 'LoRA on an embedding'],
  [/lora_[AB]\.bias$/, 'LoRA with biases (lora_bias)'],
  [/^(?:.+\.)?(?:classifier|score)\.(?!weight$|bias$)/, 'a head with more than one layer'],
];

/** @throws AuroraError 'adapter' naming a tensor that belongs to no known method */
export function adapterModules({ folder, tensors }: AdapterFolder): AdapterModules {
  const modules: AdapterModules['modules'] = new Map();
  const head: { module?: string; weight?: FloatTensor; bias?: FloatTensor } = {};
  const misfit = (message: string) =>
    new AuroraError('adapter', message, 'The adapter belongs to another kind of model or has been changed.');
  for (const [key, tensor] of tensors) {
    const name = plainName(key);
    const part = PART.exec(name);
    const ofHead = HEAD.exec(name);
    if (part) {
      const own = modules.get(part[1]) ?? new Map<string, FloatTensor>();
      modules.set(part[1], own.set(part[2], tensor));
    } else if (ofHead) {
      const which = ofHead[2] as 'weight' | 'bias';
      if (head[which]) throw misfit(`${folder} has two heads; ${key} belongs to the second.`);
      head[which] = tensor;
      head.module = ofHead[1];
    } else throw notKnown(folder, key, name);
  }
  const { weight, bias } = head;
  if (bias && !weight) throw misfit(`${folder} has a head with a bias but no weight.`);
  if (weight && (weight.dims.length !== 2 || (bias && bias.dims.join() !== String(weight.dims[0]))))
    throw misfit(
      `The head in ${folder} is not a linear layer: its weight is [${weight.dims.join(', ')}]${bias ? ` and its bias is [${bias.dims.join(', ')}]` : ''}.`,
    );
  return { modules, head: weight && { module: head.module!, weight, ...(bias && { bias }) } };
}

/** Without PEFT's wrappers, and without the adapter name found in files of older PEFT versions. */
const plainName = (key: string): string =>
  (key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key)
    .replace('.modules_to_save.default.', '.')
    .replace('.modules_to_save.', '.')
    .replace(/\.(lora_[AB])\.default\.weight$/, '.$1.weight')
    .replace(/\.lora_magnitude_vector(\.default)?(\.weight)?$/, '.lora_magnitude_vector');

function notKnown(folder: string, key: string, name: string): AuroraError {
  const variant = VARIANTS.find(([pattern]) => pattern.test(name))?.[1];
  return new AuroraError(
    'adapter',
    variant
      ? `${folder} contains ${variant}, which AuroRA Lab does not support: ${key}.`
      : `${folder} has a tensor that does not belong to any supported adapter: ${key}.`,
    'Import LoRA, rsLoRA or DoRA on linear layers, or an adapter made by AuroRA Lab, with a linear head or none.',
  );
}
