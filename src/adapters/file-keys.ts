import type { AdapterTensor } from './methods/method';

/** HF PEFT prefixes every key with the names of its two wrappers. */
export const PREFIX = 'base_model.model.';

/** The key of an adapter's tensor in PEFT's file: the module's path, then its own part, such as lora_A.weight. */
export const peftKey = (path: string, part: string): string => `${PREFIX}${path}.${part}`;

/** The prefix of keys outside of modules. */
export const OUTSIDE = 'base_model.';

/** All keys of an adapter's tensor there: in its module, and outside of modules; none for one that follows from others. */
export const peftKeys = (
  path: string,
  { peftName, outside, follows }: Pick<AdapterTensor, 'peftName' | 'outside' | 'follows'>,
): string[] => [
  ...(follows || outside?.where === 'only' ? [] : [peftKey(path, peftName)]),
  ...(outside ? [`${OUTSIDE}${outside.key(path)}`] : []),
];
