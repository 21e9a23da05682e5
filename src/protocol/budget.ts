import type { MethodName } from '../experiment/experiment';
import type { LeftOut } from './left-out';

/** What an adapter costs, as the host works it out and the page shows it. Counts are exact. */
export interface Budget {
  modules: ModuleBudget[];
  /** Entries of the targets that matched nothing, in words. */
  warnings: string[];
  /** What "all-linear" passed over. */
  leftOut: LeftOut[];
  /** Linear layers of the model, adapted or not. */
  layers: number;
  /** All parameters of the model; undefined where they are not known. */
  modelParameters?: number;
  /** Multiply-adds × 2 of the model's own linear layers, forward, for one token. */
  modelForwardFlops: number;
  adapter: AdapterBudget;
  /** LoRA on the same modules at the rank asked for. */
  lora: AdapterBudget & { rank: number };
  /** The rank at which LoRA on the same modules costs the same, and LoRA at the whole rank nearest to it. */
  equal: AdapterBudget & { rank: number; exactRank: number };
  curves: Curve[];
  /** Parameters of one module. */
  formula: string;
}

export interface ModuleBudget {
  path: string;
  inFeatures: number;
  outFeatures: number;
  /** How often one forward pass calls it. */
  calls: number;
  /** Of methods that have one. */
  rank?: number;
  parameters: number;
}

export interface AdapterBudget {
  parameters: number;
  /** Bytes of adapter_model.safetensors, without a task's head: 8, then the header, then the data. */
  file: { header: number; data: number; total: number };
  /** Bytes that training keeps for the adapter in float32. */
  memory: { parameters: number; gradients: number; moments: number; total: number };
  /** Of the adapter's matrix products. */
  flops: { forward: number; backward: number; step: number };
  /** Values of spline bases and activations in one forward pass of one token; not part of `flops`. */
  nonlinear: { bases: number; activations: number };
}

/** Total parameters on the matched modules over the rank. */
export interface Curve {
  id: MethodName;
  name: string;
  /** For one module. */
  formula: string;
  points: { rank: number; parameters: number }[];
}

/** A name ending that chooses modules, by PEFT's rule. */
export interface Ending {
  name: string;
  modules: number;
  /** "768 × 768", out × in; more than one where they differ. */
  shapes: string[];
}
