import { AuroraError } from '../../../base/errors';
import type { Node } from '../../model';

const UNFUSED =
  'Use the model before ONNX Runtime fused it: the export itself, without its optimizer or model builder.';

const NO_CACHE =
  "Export the model without a key/value cache, or with one under Optimum's names: past_key_values.0.key and present.0.key, of [batch, heads, tokens, size].";

/** An error that names the node, its operator and the unsupported part. */
export const refusal = (node: Node, what: string, hint = UNFUSED): AuroraError =>
  new AuroraError(
    'model',
    `The operator ${node.opType} of the node ${node.name || node.outputs[0]} has ${what}, which is not supported.`,
    hint,
  );

/** The features of an operator that a rewrite supports. */
export interface Known {
  /** Names, or `name=value` for one that may have no other value. */
  attributes?: readonly string[];
  /** In order; one in parentheses must be absent. */
  inputs: readonly string[];
  /** Likewise. */
  outputs?: readonly string[];
}

/**
 * Requires that a node has no attribute, input or output beyond those that its rewrite knows: later versions of ONNX
 * Runtime add some that change the result.
 */
export function requireKnown(node: Node, { attributes = [], inputs, outputs = ['output'] }: Known): void {
  for (const [name, a] of node.attributes) {
    if (attributes.includes(name)) continue;
    const value = a.type === 'int' || a.type === 'string' ? `${name}=${a.value}` : name;
    const fixed = attributes.some((known) => known.startsWith(`${name}=`));
    if (!attributes.includes(value)) throw refusal(node, `the attribute ${fixed ? value : name}`);
  }
  const input = unknown(node.inputs, inputs);
  if (input) throw refusal(node, `the input ${input}`, input.startsWith('past') ? NO_CACHE : UNFUSED);
  const output = unknown(node.outputs, outputs);
  if (output) throw refusal(node, `the output ${output}`);
}

/** The first tensor of a node that is not known or must be absent, in words. */
function unknown(tensors: readonly string[], names: readonly string[]): string | undefined {
  for (const [i, tensor] of tensors.entries()) {
    const name = names[i];
    if (tensor === '' || (name !== undefined && !name.startsWith('('))) continue;
    return `${name?.replace(/[()]/g, '') ?? `number ${i + 1}`} (${tensor})`;
  }
  return undefined;
}
