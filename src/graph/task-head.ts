import type { Model } from './model';

/** In the metadata of a node that belongs to the head of a task model, not to the model that is adapted. */
export const OF_HEAD = 'aurora.head';

/**
 * In the metadata of a node of a base model's pooler. Targets such as `dense` match its layer by the way, so they count only
 * where the loss depends on it.
 */
export const OF_POOLER = 'aurora.pooler';

/** In a model's metadata: the names of the labels of its head, in the order of its logits, as JSON. */
export const HEAD_LABELS = 'aurora.headLabels';

/** Names of the labels of a model's own head, in the order of its logits; undefined if they are not known. */
export function headLabels({ metadata }: Model): string[] | undefined {
  const text = metadata.get(HEAD_LABELS);
  return text === undefined ? undefined : (JSON.parse(text) as string[]);
}

/** In a model's metadata: the last layer of its head, as JSON. */
export const HEAD_LAYER = 'aurora.headLayer';

/** The linear layer that gives a model's own logits of labels. */
export interface HeadLayer {
  /** Its path: `classifier`. Its weight and bias are initializers with this name before `.weight` and `.bias`. */
  module: string;
  /** The output of the model that it reads. */
  input: string;
  bias: boolean;
}

/** Undefined if a model has none. */
export function headLayer({ metadata }: Model): HeadLayer | undefined {
  const text = metadata.get(HEAD_LAYER);
  return text === undefined ? undefined : (JSON.parse(text) as HeadLayer);
}
