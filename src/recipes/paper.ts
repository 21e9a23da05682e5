/** Applies to all of the paper's runs. Cites the paper as a whole, since its table numbers are not known here. */
export const PAPER = {
  /** Dong, Zhu, Song, Wang: "AuroRA: Breaking Low-Rank Bottleneck of LoRA with Nonlinear Mapping", NeurIPS 2025. */
  source: 'arXiv 2505.18738',
  rank: 2,
  alpha: 4,
  /** Shown with every result. */
  baselines:
    'Most of the paper’s baselines are quoted from earlier papers, which trained with other recipes.',
  fairness:
    'For a fair comparison, retrain LoRA with the same settings, at the same rank and at the same number of parameters.',
  /** For every run. */
  unsaid: ['seeds', 'AdamW’s betas and epsilon', 'gradient clipping', 'the spline’s initial weights'],
} as const;
