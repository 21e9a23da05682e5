import type { BudgetModule } from '../adapters/budget/budget';
import { LLAMA3_8B } from './llama';
import { SDXL } from './sdxl';
import { ROBERTA_BASE, ROBERTA_LARGE, VIT_BASE, VIT_LARGE } from './encoders';

/** A model that the AuroRA paper adapts (arXiv 2505.18738): the shapes of its linear layers, without weights. */
export interface PaperModel {
  id: string;
  name: string;
  /** Linear layers in execution order, under their module paths in Hugging Face's libraries. */
  modules: BudgetModule[];
  /** All parameters of the pretrained model, without a task head. */
  parameters: number;
  /** The layers that the paper adapts. */
  targets: string[];
  /** The paper does not state the adapted layers; the targets and LoRA's rank are our choice. */
  targetsAssumed?: true;
  /** Rank of the paper's LoRA baseline. */
  loraRank: number;
  /** Source of the shapes. */
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
