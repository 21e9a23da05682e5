/**
 * In the metadata of a node: a product of the router of a mixture of experts, or of one of the experts. "all-linear" leaves these
 * layers out, as PEFT does with transformers 5, where they are no linear layers.
 */
export const ROUTED = 'aurora.routed';

/** In a model's metadata: the loss of its routers, as JSON. */
export const ROUTER_LOSS = 'aurora.routerLoss';

/** A loss that is added to that of a language model's step. */
export interface RouterLoss {
  /** The output of the model that has it, a scalar. */
  output: string;
  /** It is multiplied by it. */
  coefficient: number;
}
