import type { Network } from './network';

/** The parts of a layer, each on x (tokens, hidden). Attention and feed-forward part get normalized states. */
export interface LayerParts {
  norm(module: string, x: string): string;
  attend(x: string): string;
  feed(x: string): string;
}

/** Attention, then the feed-forward part, each after its norm: y = x + attend(norm(x)), y + feed(norm(y)). */
export function serialLayer(net: Network, at: string, x: string, { norm, attend, feed }: LayerParts): string {
  const middle = net.op(at, 'Add', [x, attend(norm(`${at}.input_layernorm`, x))]);
  return net.op(at, 'Add', [middle, feed(norm(`${at}.post_attention_layernorm`, middle))]);
}

/** Both parts beside each other after one norm: x + attend(norm(x)) + feed(norm(x)) (parallel attention). */
export function parallelLayer(
  net: Network,
  at: string,
  x: string,
  { norm, attend, feed }: LayerParts,
): string {
  const before = norm(`${at}.input_layernorm`, x);
  return net.op(at, 'Add', [net.op(at, 'Add', [x, attend(before)]), feed(before)]);
}
