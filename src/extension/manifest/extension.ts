import type { Contributes } from './declared';

export const contributes: Contributes = {
  extension: {
    displayName: 'AuroRA Lab',
    description:
      'Train AuroRA and LoRA adapters on your own transformer, on your own machine: no Python, no server, no cloud.',
    trust:
      'You can view and edit experiments and budgets, but nothing in the workspace is run or loaded. Training requires a trusted workspace.',
  },
};
