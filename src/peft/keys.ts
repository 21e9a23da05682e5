import { peftKey } from '../adapters/file-keys';

export { OUTSIDE, peftKey, peftKeys, PREFIX } from '../adapters/file-keys';

/** A head as PEFT saves it for sequence classification (modules_to_save). */
export const HEAD_MODULE = 'classifier';
/** In all families. */
export const HEAD_MODULES = [HEAD_MODULE, 'classifier.out_proj', 'score'] as const;

/** The keys of a head's tensors. */
export const headKeys = (module: string) =>
  ({ weight: peftKey(module, 'weight'), bias: peftKey(module, 'bias') }) as const;

export const HEAD_KEY = headKeys(HEAD_MODULE);
