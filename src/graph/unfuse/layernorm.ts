import { AuroraError } from '../../base/errors';
import { attrFloat, attrInt } from '../attributes';
import { DType } from '../dtype';
import type { Node } from '../model';
import type { Rewrite, RewriteContext } from '../rewrite';

/** ONNX Runtime's default for the fused skip operators; the plain ones use 1e-5. */
const SKIP_EPSILON = 1e-12;

/** LayerNormalization(input + skip + bias) · gamma + beta; the fourth output is the sum. */
export const skipLayerNormalization: Rewrite = (node, c) => {
  const [input, skip, gamma, beta, bias] = node.inputs;
  const [y, mean, inverse, sum] = node.outputs;
  const x = skipSum(c, input, skip, bias, sum);
  const outputs = inverse ? [y, mean, inverse] : mean ? [y, mean] : [y];
  const attributes = { axis: -1, epsilon: { float: attrFloat(node, 'epsilon', SKIP_EPSILON) } };
  c.replace(node, 'LayerNormalization', beta ? [x, gamma, beta] : [x, gamma], attributes, outputs);
};

/** The same with root-mean-square normalization: no mean, no beta. */
export const skipSimplifiedLayerNormalization: Rewrite = (node, c) => {
  const [input, skip, gamma, bias] = node.inputs;
  const [y, , inverse, sum] = node.outputs;
  const x = skipSum(c, input, skip, bias, sum);
  rms(c, node, x, gamma, [-1], attrFloat(node, 'epsilon', SKIP_EPSILON), y, inverse);
};

/** x / sqrt(mean(x²) + epsilon) · scale over the axes from `axis` on. */
export const simplifiedLayerNormalization: Rewrite = (node, c) => {
  const [x, scale] = node.inputs;
  const [y, inverse] = node.outputs;
  const axis = attrInt(node, 'axis', -1);
  // The scale has the shape of the normalized axes, so its rank gives their number if the rank of x is unknown.
  const rank = c.declared.rank(x);
  const count = axis < 0 ? -axis : rank !== undefined ? rank - axis : c.declared.rank(scale);
  if (count === undefined)
    throw new AuroraError(
      'model',
      `The number of axes of ${x}, which ${node.name || y} (SimplifiedLayerNormalization) normalizes from axis ${axis} on, is not known.`,
      'Run shape inference on the model (onnx.shape_inference.infer_shapes) and save it again.',
    );
  const axes = Array.from({ length: count }, (_, i) => i - count);
  rms(c, node, x, scale, axes, attrFloat(node, 'epsilon', 1e-5), y, inverse);
};

function skipSum(c: RewriteContext, input: string, skip: string, bias: string | undefined, sum: string) {
  const x = bias ? c.g.op('Add', [input, skip]) : input;
  const last = [x, bias || skip];
  return sum ? c.produce(sum, 'Add', last) : c.g.op('Add', last);
}

function rms(
  c: RewriteContext,
  node: Node,
  input: string,
  scale: string,
  axes: number[],
  epsilon: number,
  y: string,
  inverseOutput: string | undefined,
): void {
  const { g } = c;
  const type = c.declared.floatType(node.inputs[0]);
  // 16-bit floats overflow at 65,504, which squares can reach: the statistics are computed in 32 bits.
  const half = type === DType.float16 || type === DType.bfloat16;
  const x = half ? g.op('Cast', [input], { to: DType.float }) : input;
  const meanSquare = g.op('ReduceMean', [g.op('Mul', [x, x]), g.ints(axes)], { keepdims: 1 });
  const root = g.op('Sqrt', [g.op('Add', [meanSquare, g.scalar(epsilon, half ? DType.float : type)])]);
  const inverse = inverseOutput ? c.produce(inverseOutput, 'Reciprocal', [root]) : g.op('Reciprocal', [root]);
  const normal = g.op('Mul', [x, inverse]);
  c.replace(node, 'Mul', [half ? g.op('Cast', [normal], { to: type }) : normal, scale], {}, [y]);
}
