import { AuroraError } from '../../../base/errors';
import type { Node } from '../../model';

const UNFUSED =
  'Use the model before ONNX Runtime fused it: the export itself, without its optimizer or model builder.';

const NO_CACHE =
  "Export the model without a key/value cache, or with one under Optimum's names: past_key_values.0.key and present.0.key, of [batch, heads, tokens, size].";

/** An error that names the node, its operator and what of it is not supported. */
export const refusal = (node: Node, what: string, hint = UNFUSED): AuroraError =>
  new AuroraError(
    'model',
    `The operator ${node.opType} of the node ${node.name || node.outputs[0]} has ${what}, which is not supported.`,
    hint,
  );

/**
 * Requires that a node has no attribute and no input beyond those that its rewrite knows: later versions of ONNX Runtime
 * add some that change the result.
 *
 * @param inputs names of the inputs, in order; one in parentheses must be absent
 */
export function requireKnown(node: Node, attributes: readonly string[], inputs: readonly string[]): void {
  for (const name of node.attributes.keys())
    if (!attributes.includes(name)) throw refusal(node, `the attribute ${name}`);
  node.inputs.forEach((x, i) => {
    const name = inputs[i];
    if (x === '' || (name !== undefined && !name.startsWith('('))) return;
    const input = name?.replace(/[()]/g, '') ?? `number ${i + 1}`;
    throw refusal(node, `the input ${input} (${x})`, input.startsWith('past') ? NO_CACHE : UNFUSED);
  });
}
