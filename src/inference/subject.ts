import type { PlayFacts, PlayPicture, PlaySample, Prediction } from '../protocol/playground';
import type { PlayImage, PlayVariant } from '../protocol/play-question';
import type { DrawingQuestion } from '../training/diffusion/drawer';
import type { DrawingHooks } from '../training/diffusion/sampler';

/** A subject of questions: a loaded run or model, with its base model if it has one. */
export type Subject = Classifier | LanguageModel | Painter;

interface Loaded {
  facts: PlayFacts;
  /** In answering order. */
  variants: readonly PlayVariant[];
  /** A validation row, a different one each time until all were used; undefined for a model without data. */
  sample?(): Promise<PlaySample>;
  /** Changes the weights of adapters that answer together, in the order of the facts. */
  weigh?(weights: readonly number[]): void;
  dispose(): Promise<void>;
}

export interface Classifier extends Loaded {
  /** @throws AuroraError 'usage' for an image if it reads texts, or the other way round */
  answer(question: Question, variant: PlayVariant): Promise<Prediction>;
}

export interface Question {
  text?: string;
  /** The second text of a pair. */
  pair?: string;
  /** The choices of a question. */
  choices?: readonly string[];
  image?: PlayImage;
}

export interface LanguageModel extends Loaded {
  encode(text: string): number[];
  decode(ids: readonly number[]): string;
  /** A score for each possible next token. */
  next(ids: readonly number[], variant: PlayVariant): Promise<{ logits: Float32Array; seconds: number }>;
  /** Tokens that end a text. */
  ends: ReadonlySet<number>;
  /** The longest text it reads, in tokens; undefined if not stated. */
  longest?: number;
}

export interface Painter extends Loaded {
  /**
   * @returns undefined if it was stopped
   * @throws AuroraError for settings that the pipeline cannot draw with
   */
  draw(
    question: DrawingQuestion,
    variant: PlayVariant,
    hooks: DrawingHooks,
  ): Promise<PlayPicture | undefined>;
}
