import type { Node } from '../../model';
import type { RewriteContext } from '../../rewrite';
import { refusal } from './refuse';

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
export function activate(
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
