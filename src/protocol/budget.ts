import type { MethodName } from '../experiment/methods';
import type { LeftOut } from './left-out';

/** The costs of an adapter, as computed by the host and shown by the page. Counts are exact. */
export interface Budget {
  modules: ModuleBudget[];
  /** Target entries that matched nothing, as text. */
  warnings: string[];
  /** Layers that "all-linear" skipped. */
  leftOut: LeftOut[];
  /** Linear layers of the model, adapted or not. */
  layers: number;
  /** All parameters of the model; undefined if unknown. */
  modelParameters?: number;
  /** Multiply-adds × 2 of the model's own linear layers, forward, for one token. */
  modelForwardFlops: number;
  adapter: AdapterBudget;
  /** LoRA on the same modules at the requested rank. */
  lora: AdapterBudget & { rank: number };
  /** The rank at which LoRA on the same modules costs the same, and LoRA at the nearest integer rank. */
  equal: AdapterBudget & { rank: number; exactRank: number };
  curves: Curve[];
  /** Parameters of one module. */
  formula: string;
}

export interface ModuleBudget {
  path: string;
  inFeatures: number;
  outFeatures: number;
  /** The number of calls in one forward pass. */
  calls: number;
  /** Only for methods with a rank. */
  rank?: number;
  parameters: number;
}

export interface AdapterBudget {
  parameters: number;
  /** Bytes of adapter_model.safetensors, without a task's head: 8, then the header, then the data. */
  file: { header: number; data: number; total: number };
  /** Bytes that training keeps for the adapter in float32. */
  memory: { parameters: number; gradients: number; moments: number; total: number };
  /** The operations of the adapter's matrix products. */
  flops: { forward: number; backward: number; step: number };
  /** Spline bases and activations evaluated in one forward pass of one token; not part of `flops`. */
  nonlinear: { bases: number; activations: number };
}

/** Total parameters on the matched modules by rank. */
export interface Curve {
  id: MethodName;
  name: string;
  /** The formula of one module. */
  formula: string;
  points: { rank: number; parameters: number }[];
}

/** A name ending that selects modules, by PEFT's rule. */
export interface Ending {
  name: string;
  modules: number;
  /** "768 × 768", out × in; more than one if they differ. */
  shapes: string[];
}
