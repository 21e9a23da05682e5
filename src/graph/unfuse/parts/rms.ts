import { DType } from '../../dtype';
import type { Node } from '../../model';
import type { RewriteContext } from '../../rewrite';

/**
 * Emits x / sqrt(mean(x²) + epsilon) · scale in a node's place.
 *
 * @param axes of the mean, negative
 * @param inverseOutput the name of 1 / sqrt(…), if the node returns it
 */
export function rms(
  c: RewriteContext,
  node: Node,
  input: string,
  scale: string,
  axes: number[],
  epsilon: number,
  y: string,
  inverseOutput: string | undefined,
): void {
  const type = c.declared.floatType(node.inputs[0]);
  c.replace(node, 'Mul', [rootMeanSquare(c, type, input, axes, epsilon, inverseOutput), scale], {}, [y]);
}

/** x / sqrt(mean(x²) + epsilon), without a scale. */
export function rootMeanSquare(
  c: RewriteContext,
  type: number,
  input: string,
  axes: number[],
  epsilon: number,
  inverseOutput?: string,
): string {
  const { g } = c;
  // 16-bit floats overflow at 65,504, which squares can reach: the statistics are computed in 32 bits.
  const half = type === DType.float16 || type === DType.bfloat16;
  const x = half ? g.op('Cast', [input], { to: DType.float }) : input;
  const meanSquare = g.op('ReduceMean', [g.op('Mul', [x, x]), g.ints(axes)], { keepdims: 1 });
  const root = g.op('Sqrt', [g.op('Add', [meanSquare, g.scalar(epsilon, half ? DType.float : type)])]);
  const inverse = inverseOutput ? c.produce(inverseOutput, 'Reciprocal', [root]) : g.op('Reciprocal', [root]);
  const normal = g.op('Mul', [x, inverse]);
  return half ? g.op('Cast', [normal], { to: type }) : normal;
}
