import type { MetricName } from './metrics';

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

/** The methods that compare a text that the model writes with the answer in the data, and the metric of each. */
export const WRITTEN_SCORINGS = {
  'exact-match': 'exactMatch',
  'last-number': 'lastNumber',
} as const satisfies Record<string, MetricName>;

export type WrittenScoring = keyof typeof WRITTEN_SCORINGS;

/** task.answers: how a language model writes its answers, and how they are read. */
export interface AnswerSettings {
  /** A regular expression with one group, which is the answer; omitted: all of the text. For "exact-match". */
  pattern?: string;
  /** New tokens at most; omitted: 256, and at most half of model.maxLength. */
  maxNewTokens?: number;
  /** Texts before which an answer ends. */
  stop?: string[];
  /** Compares answers without regard to case; omitted: false. */
  ignoreCase?: boolean;
  /** Compares answers without their punctuation; omitted: false. */
  ignorePunctuation?: boolean;
}

/** The settings of a task that say how it is scored. */
export interface ScoredTask {
  scoring?: Scoring | WrittenScoring | WrittenScoring[];
  answers?: AnswerSettings;
}

export const isWrittenScoring = (value: unknown): value is WrittenScoring =>
  typeof value === 'string' && Object.hasOwn(WRITTEN_SCORINGS, value);

/** The methods that judge the written answers, the first of which decides if an answer is right; empty if there are none. */
export const writtenScorings = ({ scoring }: ScoredTask): WrittenScoring[] =>
  [scoring].flat().filter(isWrittenScoring);

/** The metrics of the written answers, in the order of their methods. */
export const writtenMetrics = (task: ScoredTask): MetricName[] =>
  writtenScorings(task).map((scoring) => WRITTEN_SCORINGS[scoring]);

/** The method that finds the answer to a question with choices. */
export const choiceScoring = ({ scoring }: ScoredTask): Scoring =>
  typeof scoring === 'string' && !isWrittenScoring(scoring) ? scoring : DEFAULT_SCORING;

const DEFAULT_NEW_TOKENS = 256;

/** The number of new tokens that an answer may have. @param maxLength model.maxLength, for the prompt and the answer */
export const newTokens = ({ answers }: ScoredTask, maxLength: number): number =>
  answers?.maxNewTokens ?? Math.max(1, Math.min(DEFAULT_NEW_TOKENS, Math.floor(maxLength / 2)));

/** The reason why a pattern cannot find an answer; undefined if it can. */
export function patternProblem(pattern: string): string | undefined {
  try {
    // The empty alternative always matches, so that the result lists all groups.
    const groups = new RegExp(`${pattern}|`).exec('')!.length - 1;
    if (groups === 1) return undefined;
    return groups === 0 ? 'has no group' : `has ${groups} groups`;
  } catch (e) {
    return `cannot be read: ${(e as Error).message}`;
  }
}

/** The settings of a task with the number of new tokens filled in, as results state them. */
export const statedScoring = (task: ScoredTask, maxLength: number): ScoredTask => {
  const written = writtenScorings(task);
  return written.length === 0
    ? { scoring: choiceScoring(task) }
    : { scoring: written, answers: { ...task.answers, maxNewTokens: newTokens(task, maxLength) } };
};

/**
 * The way in which answers are found, after "Answers are found".
 *
 * @param stated from `statedScoring`
 * @param code a pattern as it is shown
 */
export function scoringWords(stated: ScoredTask, code = (pattern: string) => pattern): string {
  const written = writtenScorings(stated);
  if (written.length === 0) return SCORINGS[choiceScoring(stated)];
  const { answers } = stated;
  const ways = written.map((scoring) => writtenWords(scoring, answers, code)).join(' and ');
  return `in a greedily generated text of at most ${answers?.maxNewTokens ?? DEFAULT_NEW_TOKENS} tokens, ${ways}`;
}

/** "by exact match of what #### (.+) finds first", "by the last number" */
function writtenWords(
  scoring: WrittenScoring,
  { pattern, ignoreCase, ignorePunctuation }: AnswerSettings = {},
  code: (pattern: string) => string,
): string {
  if (scoring === 'last-number')
    return 'by the last number (flexible-extract of gsm8k in lm-evaluation-harness)';
  const what = pattern === undefined ? 'of the whole text' : `of what ${code(pattern)} finds first`;
  const but = [...(ignoreCase ? ['case'] : []), ...(ignorePunctuation ? ['punctuation'] : [])];
  return `by exact match ${what}${but.length > 0 ? `, without regard to ${but.join(' and ')}` : ''}`;
}
