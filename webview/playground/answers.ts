import type { PlaySpan, Prediction } from '../../src/protocol/playground';

/** A prediction by its shape: the probability of each label, spans of the text, or a number. */
export type Shares = Extract<Prediction, { probabilities: number[] }>;
export type Spans = Extract<Prediction, { spans: PlaySpan[] }>;
export type Numbers = Extract<Prediction, { number: number }>;
