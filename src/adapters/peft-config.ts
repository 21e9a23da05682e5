import type { TrainedSpec } from '../experiment/methods';
import type { AdapterForm } from './methods/method';

/** Reads values of an adapter_config.json; each throws AuroraError `adapter` for a value of the wrong type. */
export interface ConfigReader {
  number(key: string, otherwise?: number): number;
  flag(key: string, otherwise: boolean): boolean;
  /** The raw value, if any; the experiment's schema decides if it is valid. */
  value(key: string): unknown;
}

/** A method's own part of adapter_config.json. */
export interface PeftConfig<S extends TrainedSpec> {
  /** PEFT's own type if PEFT can read it unchanged, else one that PEFT rejects. */
  type: string;
  /** Key that is true for this method, and not for others of the same type. */
  flag?: string;
  /** True if aurora_peft_loader.py reads it. */
  loader?: true;
  /** Key of alpha, if any, as patterns and an import need it. */
  alphaKey?: string;
  write(spec: S, form: AdapterForm): Record<string, unknown>;
  /** Everything except the target modules. */
  read(config: ConfigReader): Omit<S, 'targetModules'>;
}

/** Initial values of A, in PEFT's terms. */
export const initializationOf = (value: unknown): 'gaussian' | 'kaiming-uniform' =>
  value === 'gaussian' ? 'gaussian' : 'kaiming-uniform';
