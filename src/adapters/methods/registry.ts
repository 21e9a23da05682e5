import type { MethodName, TrainedSpec } from '../../experiment/methods';
import { aurora } from './aurora';
import { bitfit } from './bitfit';
import { dora } from './dora';
import { fourierft } from './fourierft';
import { full } from './full';
import { lora } from './lora';
import type { AdapterMethod } from './method';
import { moslora } from './moslora';
import { sinelora } from './sinelora';
import { vera } from './vera';

const METHODS: { [M in MethodName]: AdapterMethod<Extract<TrainedSpec, { method: M }>> } = {
  aurora,
  lora,
  moslora,
  dora,
  sinelora,
  vera,
  fourierft,
  bitfit,
  full,
};

export const methodOf = ({ method }: Pick<TrainedSpec, 'method'>): AdapterMethod =>
  METHODS[method] as unknown as AdapterMethod;
