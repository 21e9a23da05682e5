import type { TrainedSpec } from '../experiment/experiment';
import type { AdapterForm } from './methods/method';

/** Reads values of an adapter_config.json; each throws AuroraError `adapter` where one is of another kind. */
export interface ConfigReader {
  number(key: string, otherwise?: number): number;
  flag(key: string, otherwise: boolean): boolean;
  /** As it is written, if at all; whether it may be so, the experiment's schema says. */
  value(key: string): unknown;
}

/** A method's own part of adapter_config.json. */
export interface PeftConfig<S extends TrainedSpec> {
  /** PEFT's own type where PEFT reads it as it is, else one that PEFT refuses. */
  type: string;
  /** Key that is true for this method, and not for others of the same type. */
  flag?: string;
  /** Whether aurora_peft_loader.py reads it. */
  loader?: true;
  /** Key of alpha, where there is one, as patterns and an import need it. */
  alphaKey?: string;
  write(spec: S, form: AdapterForm): Record<string, unknown>;
  /** All but the modules that it is on. */
  read(config: ConfigReader): Omit<S, 'targetModules'>;
}

/** Initial values of A, in PEFT's words. */
export const initializationOf = (value: unknown): 'gaussian' | 'kaiming-uniform' =>
  value === 'gaussian' ? 'gaussian' : 'kaiming-uniform';
