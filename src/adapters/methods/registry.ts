import type { MethodName, TrainedSpec } from '../../experiment/methods';
import { adapterDefaults } from '../../experiment/adapter-defaults';
import { adalora } from './adalora';
import { aurora } from './aurora';
import { bitfit } from './bitfit';
import { boft } from './boft';
import { c3a } from './c3a';
import { delora } from './delora';
import { dora } from './dora';
import { fourierft } from './fourierft';
import { frod } from './frod';
import { full } from './full';
import { gralora } from './gralora';
import { hira } from './hira';
import { ia3 } from './ia3';
import { lily } from './lily';
import { loha } from './loha';
import { lokr } from './lokr';
import { lora } from './lora';
import { lorafa } from './lorafa';
import type { AdapterMethod } from './method';
import { miss } from './miss';
import { moslora } from './moslora';
import { oft } from './oft';
import { randlora } from './randlora';
import { shira } from './shira';
import { peanut } from './peanut';
import { sinelora } from './sinelora';
import { trainableTokens } from './trainable-tokens';
import { vera } from './vera';

const METHODS: { [M in MethodName]: AdapterMethod<Extract<TrainedSpec, { method: M }>> } = {
  aurora,
  lora,
  moslora,
  dora,
  sinelora,
  vera,
  fourierft,
  adalora,
  lorafa,
  peanut,
  hira,
  loha,
  lokr,
  delora,
  ia3,
  miss,
  oft,
  boft,
  randlora,
  gralora,
  c3a,
  shira,
  lily,
  frod,
  'trainable-tokens': trainableTokens,
  bitfit,
  full,
};

export const methodOf = ({ method }: Pick<TrainedSpec, 'method'>): AdapterMethod =>
  METHODS[method] as unknown as AdapterMethod;

/** The number that scales an adapter's change as a whole: 1 for a method without one. */
export const adapterScale = (spec: TrainedSpec): number => methodOf(spec).scale?.(spec) ?? 1;

/** The endings after the module's path in the keys of PEFT's file, for the tensors of all methods; * stands for a number. */
export function peftParts(): string[] {
  // Large enough for the defaults of every method, with all optional tensors; no values are made.
  const layer = { inFeatures: 1024, outFeatures: 1024, hasBias: true };
  const all = Object.entries(METHODS).flatMap(([name, method]) => {
    const settings = Object.entries(adapterDefaults(name));
    const on = settings.map(([key, value]) => [key, typeof value === 'boolean' ? true : value]);
    const spec = Object.fromEntries(on) as TrainedSpec;
    const { tensors, peft } = method as unknown as AdapterMethod;
    return [...tensors({ layer, spec, widest: layer }).map((t) => t.peftName), ...(peft.parts ?? [])];
  });
  return [...new Set(all)];
}
