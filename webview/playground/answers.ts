import type { Prediction } from '../../src/protocol/playground';

/** A prediction by its shape: the probability of each label, or spans of the text. */
export type Shares = Extract<Prediction, { spans?: undefined }>;
export type Spans = Extract<Prediction, { probabilities?: undefined }>;
