import { Lab } from './lab';

/** An experiment whose claim is closed at the first look: no difference is as large as the one that matters. */
export const tinyClaim = (settings: Record<string, unknown> = {}): Lab =>
  new Lab({
    adapter: { rank: 2 },
    training: { epochs: 1, evaluateEvery: 'epoch' },
    claim: {
      relation: 'better',
      first: {},
      than: { adapter: { method: 'lora', rank: 2, targetModules: ['query', 'value'] } },
      by: 0.95,
      search: { parameters: { 'training.learningRate': [0.01] } },
    },
    ...settings,
  });
