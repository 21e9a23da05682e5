import { AuroraError } from '../../base/errors';
import type { Model } from '../model';

/**
 * MatMulBnb4 has no transposed product that is right on the CPU (ONNX Runtime 1.30), and no standard operator reads its
 * weights.
 *
 * @throws AuroraError 'operator'
 */
export function refuseBnb4({ graph }: Model): void {
  const node = graph.nodes.find((n) => n.opType === 'MatMulBnb4' && n.domain === 'com.microsoft');
  if (!node) return;
  throw new AuroraError(
    'operator',
    `The node ${node.name || node.outputs[0]} is a MatMulBnb4 (weights of bitsandbytes, in NF4 or FP4), which cannot be trained on.`,
    'Use the file of the same model with another suffix, such as _q4, or quantize the original: aurora quantize MODEL --bits 4 --out FILE.',
  );
}
