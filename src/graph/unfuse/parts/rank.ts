import { AuroraError } from '../../../base/errors';
import { attrInt } from '../../attributes';
import type { Node } from '../../model';
import type { RewriteContext } from '../../rewrite';

/** Operators whose result has as many axes as their first input. */
const SAME = new Set(
  (
    'Cast Identity Relu Gelu Erf Tanh Sigmoid Neg Not Softmax Dropout LayerNormalization SimplifiedLayerNormalization ' +
    'SkipLayerNormalization SkipSimplifiedLayerNormalization BiasGelu FastGelu QuickGelu RotaryEmbedding Transpose ' +
    'Slice Concat Split CumSum Clip Sqrt Attention GroupQueryAttention'
  ).split(' '),
);
/** Operators whose result has as many axes as the input with most of them. */
const BROADCAST = new Set(
  'Add Sub Mul Div Pow Where Min Max And Or Equal Less LessOrEqual Greater GreaterOrEqual MatMul FusedMatMul'.split(
    ' ',
  ),
);
const REDUCING = /^Reduce(?:Sum|Mean|Max|Min|Prod)$/;

/**
 * The number of axes of a tensor, as far as the file says it, also by the operators that lead to it: exporters and
 * optimizers write shapes for inputs and constants, rarely for what is between them.
 */
export function rankOf(c: RewriteContext, name: string, depth = 0): number | undefined {
  const known = c.declared.rank(name);
  if (known !== undefined || depth > 30) return known;
  const node = c.producer(name);
  if (!node) return undefined;
  const of = (x: string | undefined) => (x ? rankOf(c, x, depth + 1) : undefined);
  const { opType, inputs } = node;
  if (SAME.has(opType)) return of(inputs[0]);
  if (BROADCAST.has(opType)) {
    const ranks = inputs.map(of);
    return ranks.includes(undefined) ? undefined : Math.max(...(ranks as number[]));
  }
  if (opType === 'EmbedLayerNormalization') return node.outputs.indexOf(name) === 1 ? 1 : 3;
  if (opType === 'MultiHeadAttention') return node.outputs.indexOf(name) === 0 ? 3 : 4;
  if (opType === 'Shape') return 1;
  const size = (x: string | undefined) => (x ? c.constant(x)?.dims[0] : undefined);
  const first = of(inputs[0]);
  if (opType === 'Reshape') return size(inputs[1]);
  if (first === undefined) return undefined;
  if (opType === 'Gather') {
    const places = of(inputs[1]);
    return places === undefined ? undefined : first - 1 + places;
  }
  const axes = size(inputs[1]);
  if (opType === 'Unsqueeze') return axes === undefined ? undefined : first + axes;
  if (opType === 'Squeeze') return axes === undefined ? undefined : first - axes;
  if (REDUCING.test(opType)) {
    if (attrInt(node, 'keepdims', 1) === 1) return first;
    return axes === undefined ? undefined : first - axes;
  }
  return undefined;
}

/** The error for a tensor whose number of axes decides how a node is computed. */
export const unknownRank = (node: Node, tensor: string): AuroraError =>
  new AuroraError(
    'model',
    `The number of axes of ${tensor}, which the node ${node.name || node.outputs[0]} (${node.opType}) reads, is not known.`,
    'Run shape inference on the model (onnx.shape_inference.infer_shapes) and save it again, or use the model before ONNX Runtime optimized it.',
  );
