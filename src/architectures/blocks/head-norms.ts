import { bareLayerNorm, type HeadNorm } from './layers';
import type { Network } from './network';

/** A layer norm of each head with a weight (heads, width) and no bias, as in Cohere. */
export const headLayerNorm =
  (epsilon: number): HeadNorm =>
  (net, module, x, width, heads) => {
    const weight = net.weight(`${module}.weight`, [heads, width]);
    return weighted(net, module, x, width, epsilon, weight, heads);
  };

/** A layer norm of each head that is a module: norms.0, norms.1 …, with a weight (width) and no bias, as in StableLM 2. */
export const separateLayerNorms =
  (epsilon: number): HeadNorm =>
  (net, module, x, width, heads) => {
    const each = Array.from({ length: heads }, (_, i) => net.weight(`${module}.norms.${i}.weight`, [width]));
    const weight = net.op(module, 'Concat', each, { axis: 0 });
    return weighted(net, module, x, width, epsilon, weight, heads);
  };

/** @param weight of `heads` · `width` values, head by head */
function weighted(
  net: Network,
  module: string,
  x: string,
  width: number,
  epsilon: number,
  weight: string,
  heads: number,
): string {
  const normed = bareLayerNorm(net, module, x, width, epsilon);
  const factors = net.op(module, 'Reshape', [weight, net.g.ints([heads, 1, width])]);
  return net.op(module, 'Mul', [normed, factors]);
}
