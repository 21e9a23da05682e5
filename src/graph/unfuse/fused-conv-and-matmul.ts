import { attrFloat, attrInt, attrString } from '../attributes';
import type { Node } from '../model';
import type { Rewrite, RewriteContext } from '../rewrite';
import { knownRank } from './parts/known-shape';
import { refusal, requireKnown } from './parts/refuse';

const CONV = ['auto_pad', 'dilations', 'group', 'kernel_shape', 'pads', 'strides'];
const FUSED_CONV = [...CONV, 'activation', 'activation_params'];

/** activation(Conv(x) + z). */
export const fusedConv: Rewrite = (node, c) => {
  requireKnown(node, { attributes: FUSED_CONV, inputs: ['X', 'W', 'B', 'Z'] });
  const { g } = c;
  const [y] = node.outputs;
  const [x, w, bias, z] = node.inputs as [string, string, string?, string?];
  const own = Object.fromEntries([...node.attributes].filter(([name]) => CONV.includes(name)));
  const activation = attrString(node, 'activation', '');
  const inputs = bias ? [x, w, bias] : [x, w];
  // ONNX Runtime fuses a Conv with an Add alone, too.
  if (activation === '' && !z) return c.replace(node, 'Conv', inputs, own);
  const product = g.fresh('Conv');
  c.replace(node, 'Conv', inputs, own, [product]);
  if (activation === '') return void c.produce(y, 'Add', [product, z!]);
  const parameters = parametersOf(node);
  activate(c, node, activation, z ? g.op('Add', [product, z]) : product, (place) => parameters[place]);
};

function parametersOf(node: Node): readonly (number | undefined)[] {
  const given = node.attributes.get('activation_params');
  return given?.type === 'floats' ? given.value : [];
}

const NHWC_CONV = ['auto_pad', 'dilations', 'group', 'kernel_shape', 'pads', 'strides'];

/** Conv of images and weights with their channels last. */
export const nhwcConv: Rewrite = (node, c) => {
  requireKnown(node, { attributes: NHWC_CONV, inputs: ['X', 'W', 'B'] });
  const [x, w, bias] = node.inputs as [string, string, string?];
  const [image, kernel] = [x, w].map((t) => c.g.op('Transpose', [t], { perm: [0, 3, 1, 2] })) as [
    string,
    string,
  ];
  const product = c.g.fresh('Conv');
  const inputs = bias ? [image, kernel, bias] : [image, kernel];
  c.replace(node, 'Conv', inputs, Object.fromEntries(node.attributes), [product]);
  c.produce(node.outputs[0], 'Transpose', [product], { perm: [0, 2, 3, 1] });
};

const GEMM = ['alpha', 'beta', 'transA', 'transB'];
const FUSED_GEMM = [...GEMM, 'activation', 'activation_alpha', 'activation_beta', 'activation_gamma'];

/** activation(Gemm(a, b, c)). */
export const fusedGemm: Rewrite = (node, c) => {
  requireKnown(node, { attributes: FUSED_GEMM, inputs: ['A', 'B', 'C'] });
  const own = Object.fromEntries([...node.attributes].filter(([name]) => GEMM.includes(name)));
  const activation = attrString(node, 'activation', '');
  if (activation === '') return c.replace(node, 'Gemm', node.inputs, own);
  const product = c.g.fresh('Gemm');
  c.replace(node, 'Gemm', node.inputs, own, [product]);
  activate(c, node, activation, product, (_, name) => {
    const attribute = `activation_${name}`;
    return node.attributes.has(attribute) ? attrFloat(node, attribute, 0) : undefined;
  });
};

const FUSED_MATMUL = ['alpha', 'transA', 'transB', 'transBatchA', 'transBatchB'];

/** alpha · A' B', where the matrices and the leading axis of each side may be transposed first. */
export const fusedMatMul: Rewrite = (node, c) => {
  requireKnown(node, { attributes: FUSED_MATMUL, inputs: ['A', 'B'] });
  const alpha = attrFloat(node, 'alpha', 1);
  const type = c.declared.floatType(node.inputs[0]);
  const sides = (['A', 'B'] as const).map((side, i) => transposed(node, c, node.inputs[i], side));
  const [y] = node.outputs;
  const product = alpha === 1 ? y : c.g.fresh('MatMul');
  c.replace(node, 'MatMul', sides, {}, [product]);
  if (alpha !== 1) c.produce(y, 'Mul', [product, c.g.scalar(alpha, type)]);
};

function transposed(node: Node, c: RewriteContext, x: string, side: 'A' | 'B'): string {
  const matrix = attrInt(node, `trans${side}`, 0) !== 0;
  const batch = attrInt(node, `transBatch${side}`, 0) !== 0;
  if (!matrix && !batch) return x;
  if (!batch && c.declared.rank(x) === undefined) return c.g.op('Einsum', [x], { equation: '...ij->...ji' });
  const rank = knownRank(c, node, x);
  // A vector has nothing to transpose.
  if (rank < 2) return x;
  let perm = Array.from({ length: rank }, (_, i) => i);
  // The first axis moves after the batch axes: (h, b…, k) becomes (b…, h, k).
  if (batch) perm = [...perm.slice(1, -1), 0, rank - 1];
  if (matrix) perm = [...perm.slice(0, -2), perm[rank - 1], perm[rank - 2]];
  return c.g.op('Transpose', [x], { perm });
}

/** Activations that ONNX Runtime fuses into the operator before them, with their parameters in the order it has them. */
const PARAMETERS = new Map<string, readonly string[]>([
  ['Relu', []],
  ['Tanh', []],
  ['Sigmoid', []],
  ['Softplus', []],
  ['Softsign', []],
  ['Elu', ['alpha']],
  ['LeakyRelu', ['alpha']],
  ['ThresholdedRelu', ['alpha']],
  ['Selu', ['alpha', 'gamma']],
  ['HardSigmoid', ['alpha', 'beta']],
]);

/**
 * Emits the activation of a fused node, which makes its first output.
 *
 * @param given a parameter by its place and name; undefined leaves the operator's default
 */
function activate(
  c: RewriteContext,
  node: Node,
  activation: string,
  x: string,
  given: (place: number, name: string) => number | undefined,
): void {
  const [y] = node.outputs;
  const parameters = PARAMETERS.get(activation);
  if (parameters) {
    const values = parameters.flatMap((name, i) => {
      const value = given(i, name);
      return value === undefined ? [] : [[name, { float: value }] as const];
    });
    c.produce(y, activation, [x], Object.fromEntries(values));
    return;
  }
  const [low, high] = [given(0, 'min'), given(1, 'max')];
  if (activation !== 'Clip' || low === undefined || high === undefined)
    throw refusal(node, `the activation "${activation}"`);
  const type = c.declared.floatType(node.inputs[0]);
  c.produce(y, activation, [x, c.g.scalar(low, type), c.g.scalar(high, type)]);
}
