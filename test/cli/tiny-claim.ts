import { Lab } from './lab';

/** An experiment whose claim is closed at its only look. */
export const tinyClaim = (seeds = 3, settings: Record<string, unknown> = {}): Lab =>
  new Lab({
    adapter: { rank: 2 },
    training: { epochs: 1, evaluateEvery: 'epoch' },
    claim: {
      relation: 'better',
      first: {},
      than: { adapter: { method: 'lora', rank: 2, targetModules: ['query', 'value'] } },
      by: 0.95,
      looks: [seeds],
      search: { parameters: { 'training.learningRate': [0.01] } },
    },
    ...settings,
  });
