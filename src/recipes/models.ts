import type { BudgetModule } from '../adapters/budget/budget';
import { LLAMA3_8B } from './llama';
import { SDXL } from './sdxl';
import { ROBERTA_BASE, ROBERTA_LARGE, VIT_BASE, VIT_LARGE } from './encoders';

/** A model that the AuroRA paper adapts (arXiv 2505.18738): the shapes of its linear layers, without weights. */
export interface PaperModel {
  id: string;
  name: string;
  /** Linear layers in execution order, under the module paths that Hugging Face's libraries give them. */
  modules: BudgetModule[];
  /** All parameters of the pretrained model, without a task's head. */
  parameters: number;
  /** What the paper adapts. */
  targets: string[];
  /** The paper does not say what it adapts, and the targets and LoRA's rank are our own choice. */
  targetsAssumed?: true;
  /** Rank of the paper's LoRA baseline. */
  loraRank: number;
  /** Where the shapes come from. */
  source: string;
}

export const PAPER_MODELS: readonly PaperModel[] = [
  ROBERTA_BASE,
  ROBERTA_LARGE,
  VIT_BASE,
  VIT_LARGE,
  LLAMA3_8B,
  SDXL,
];
