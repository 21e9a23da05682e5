import type { AdapterTensor } from '../adapters/methods/method';

/** HF PEFT prefixes every key with the names of its two wrappers. */
export const PREFIX = 'base_model.model.';

/** The key of an adapter's tensor in PEFT's file: the module's path, then its own part, such as lora_A.weight. */
export const peftKey = (path: string, part: string): string => `${PREFIX}${path}.${part}`;

/** The prefix of keys outside of modules. */
export const OUTSIDE = 'base_model.';

/** All keys of an adapter's tensor there: in its module, and outside of modules. */
export const peftKeys = (
  path: string,
  { peftName, outside }: Pick<AdapterTensor, 'peftName' | 'outside'>,
): string[] => [
  ...(outside?.where === 'only' ? [] : [peftKey(path, peftName)]),
  ...(outside ? [`${OUTSIDE}${outside.key}`] : []),
];

/** A head as PEFT saves it for sequence classification (modules_to_save). */
export const HEAD_MODULE = 'classifier';
/** In all families. */
export const HEAD_MODULES = [HEAD_MODULE, 'classifier.out_proj', 'score'] as const;

/** The keys of a head's tensors. */
export const headKeys = (module: string) =>
  ({ weight: peftKey(module, 'weight'), bias: peftKey(module, 'bias') }) as const;

export const HEAD_KEY = headKeys(HEAD_MODULE);
