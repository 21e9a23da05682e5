import type { MethodName, TrainedSpec } from '../shared/experiment';
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

export const METHODS = { aurora, lora, moslora, dora, sinelora, vera, fourierft, bitfit, full } satisfies {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [M in MethodName]: AdapterMethod<any>;
};

export const METHOD_IDS: readonly string[] = Object.keys(METHODS);

export const methodOf = ({ method }: Pick<TrainedSpec, 'method'>): AdapterMethod =>
  METHODS[method] as AdapterMethod;
