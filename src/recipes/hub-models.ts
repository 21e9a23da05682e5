import { PAPER_MODELS, type PaperModel } from './models';

/** The repositories of the paper's models on the Hugging Face hub, by their ids. */
const REPOS: Readonly<Record<string, string>> = {
  'roberta-base': 'FacebookAI/roberta-base',
  'roberta-large': 'FacebookAI/roberta-large',
  // The paper names no checkpoint; the examples of transformers (run_image_classification.py) start from these.
  'vit-base': 'google/vit-base-patch16-224-in21k',
  'vit-large': 'google/vit-large-patch16-224-in21k',
  'llama3-8b': 'meta-llama/Meta-Llama-3-8B',
  sdxl: 'stabilityai/stable-diffusion-xl-base-1.0',
};

/** A model of the paper on the hub. */
export interface HubModelName {
  model: PaperModel;
  repo: string;
}

/** In the paper's order. */
export const HUB_MODELS: readonly HubModelName[] = PAPER_MODELS.map((model) => ({
  model,
  repo: REPOS[model.id]!,
}));

/** The repository of a model of the paper by its short name, under which some of them were on the hub before; undefined for any other. */
export const hubModelRepo = (name: string): string | undefined =>
  HUB_MODELS.find(({ model }) => model.id === name.toLowerCase())?.repo;
