import type { AuroraSpec, LoraSpec } from '../shared/experiment';
import { aurora } from './aurora';
import { lora } from './lora';
import type { AdapterMethod } from './method';

const METHODS = { aurora, lora };

export const METHOD_NAMES: readonly string[] = Object.keys(METHODS);

export const methodOf = (spec: AuroraSpec | LoraSpec): AdapterMethod => METHODS[spec.method] as AdapterMethod;
