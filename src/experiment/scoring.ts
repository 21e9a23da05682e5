/**
 * The methods that find the answer to a question with choices, with their names in lm-evaluation-harness and
 * LLM-Adapters where they have one.
 */
export const SCORINGS = {
  likelihood: 'by likelihood: the choice with the largest log-probability (acc in lm-evaluation-harness)',
  'normalized-likelihood':
    'by normalized likelihood: the choice with the largest log-probability per character (acc_norm in lm-evaluation-harness)',
  generation: 'by generation: the first choice named in a greedily generated text',
  'llm-adapters':
    'by generation as in LLM-Adapters: the first choice named in 32 new tokens, from 4 beams and its own prompt',
} as const;

export type Scoring = keyof typeof SCORINGS;

export const DEFAULT_SCORING: Scoring = 'likelihood';

/** True if the model writes the answer, rather than being asked how likely each choice is. */
export const isGenerated = (scoring: Scoring): boolean =>
  scoring === 'generation' || scoring === 'llm-adapters';
