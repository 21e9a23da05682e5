import type { RewriteContext } from '../../rewrite';

/** ONNX Runtime's default for the fused skip operators; the plain ones use 1e-5. */
export const SKIP_EPSILON = 1e-12;

/**
 * input + skip + bias, the sum under the name that the fused operator gives it. The bias belongs to a linear layer whose
 * output is one of the two: it is added to that one first, where it is found as the layer's own.
 */
export function skipSum(
  c: RewriteContext,
  input: string,
  skip: string,
  bias: string | undefined,
  sum: string | undefined,
): string {
  const { g } = c;
  const isProduct = (x: string) => ['MatMul', 'Gemm'].includes(c.producer(x)?.opType ?? '');
  const [layer, other] = isProduct(skip) && !isProduct(input) ? [skip, input] : [input, skip];
  const both = [bias ? g.op('Add', [layer, bias]) : layer, other];
  return sum ? c.produce(sum, 'Add', both) : g.op('Add', both);
}
