import type { PlaySpan, PlayToken, Prediction } from '../../src/protocol/playground';

/** A prediction by its shape: the probability of each label, spans of the text, a number, or tokens for masks. */
export type Shares = Extract<Prediction, { probabilities: number[] }>;
export type Spans = Extract<Prediction, { spans: PlaySpan[] }>;
export type Numbers = Extract<Prediction, { number: number }>;
export type Masks = Extract<Prediction, { masks: PlayToken[][] }>;
