import type { Node } from './model';

/**
 * In the metadata of a node that is a product of a mixture of experts: ROUTER, or the part of the rows that an expert gets if all get
 * the same, as a fraction such as 2/8.
 */
export const ROUTED = 'aurora.routed';

export const ROUTER = 'router';

/**
 * True for a product of a router or of an expert. "all-linear" leaves these layers out, as PEFT does with transformers 5, where they
 * are no linear layers.
 */
export const isRouted = (node: Node): boolean => node.metadata.has(ROUTED);

export const isRouter = (node: Node): boolean => node.metadata.get(ROUTED) === ROUTER;

/** The part of a layer's weights that a token is multiplied by, on average: 1 unless it belongs to an expert. */
export function activeShare(node: Node): number {
  const [each, experts] = (node.metadata.get(ROUTED) ?? '').split('/').map(Number);
  return each > 0 && experts > 0 ? each / experts : 1;
}

/** In a model's metadata: the loss of its routers, as JSON. */
export const ROUTER_LOSS = 'aurora.routerLoss';

/** A loss that is added to that of a language model. */
export interface RouterLoss {
  /** The output of the model that has it, a scalar. */
  output: string;
  /** It is multiplied by it. */
  coefficient: number;
}

/** Undefined for a model without one. */
export function routerLoss(metadata: ReadonlyMap<string, string>): RouterLoss | undefined {
  const text = metadata.get(ROUTER_LOSS);
  return text === undefined ? undefined : (JSON.parse(text) as RouterLoss);
}
