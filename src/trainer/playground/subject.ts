import type { PlayFacts, PlayImage, PlaySample, PlayVariant, Prediction } from '../../protocol/playground';

/** What can be asked: a run or a model, loaded, with its base beside it where it has one. */
export type Subject = Classifier | LanguageModel;

interface Loaded {
  facts: PlayFacts;
  /** As they answer. */
  variants: readonly PlayVariant[];
  dispose(): Promise<void>;
}

export interface Classifier extends Loaded {
  /** @throws AuroraError 'usage' for an image where texts are read, or the other way round */
  answer(question: Question, variant: PlayVariant): Promise<Prediction>;
  /** A validation row, each time another until all were there; undefined for a model without data. */
  sample?(): PlaySample;
}

export interface Question {
  text?: string;
  image?: PlayImage;
}

export interface LanguageModel extends Loaded {
  encode(text: string): number[];
  decode(ids: readonly number[]): string;
  /** One number for each token that may come after these. */
  next(ids: readonly number[], variant: PlayVariant): Promise<{ logits: Float32Array; seconds: number }>;
  /** Tokens that end a text. */
  ends: ReadonlySet<number>;
  /** The longest text it reads, in tokens; undefined where nothing says it. */
  longest?: number;
}
