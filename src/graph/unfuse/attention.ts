import { attrFloat, attrInt, attrInts } from '../attributes';
import { isModuleParameter, MODULE } from '../layers/module-path';
import type { Node } from '../model';
import type { Rewrite, RewriteContext } from '../rewrite';
import { blocks, dotProduct, splitHeads, turnHeads } from './parts/attention';
import { causalBias, maskBias } from './parts/masks';
import { projectionPaths } from './packed-projections';
import { refusal, requireKnown } from './parts/refuse';

const ATTRIBUTES = [
  'do_rotary',
  'mask_filter_value',
  'num_heads',
  'past_present_share_buffer',
  'qkv_hidden_sizes',
  'rotary_embedding_dim',
  'scale',
  'unidirectional',
];
const INPUTS = [
  'input',
  'weights',
  'bias',
  'mask_index',
  '(past)',
  'attention_bias',
  '(past_sequence_length)',
];

/** Self-attention with its projections, whose weights are column blocks of one: (features, query + key + value). */
export const attention: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: INPUTS, outputs: ['output', 'present'] });
  if (attrInt(node, 'do_rotary', 0) === 1)
    throw refusal(
      node,
      'do_rotary',
      'Fuse the model with RotaryEmbedding and MultiHeadAttention instead, which ONNX Runtime also asks for on the CPU, or use it unfused.',
    );
  const [input, , , mask, , bias] = node.inputs as [string, string, ...string[]];
  const heads = attrInt(node, 'num_heads', 1);
  const [query, key, value] = projections(c, node).map((x) => splitHeads(c.g, x, heads)) as [
    string,
    string,
    string,
  ];
  if (node.outputs[1]) present(c, node.outputs[1], key, value);
  const type = c.declared.floatType(input);
  const filter = attrFloat(node, 'mask_filter_value', -10000);
  const sequence = { tokens: input, keys: input };
  const masked = mask ? [maskBias(c, node, mask, sequence, { filter, begins: true })] : [];
  const causal =
    attrInt(node, 'unidirectional', 0) === 1 ? [causalBias(c, sequence, type, mask || input)] : [];
  dotProduct(c, node, {
    query,
    key,
    value,
    scale: attrFloat(node, 'scale', 0),
    biases: [...(bias ? [bias] : []), ...masked, ...causal],
  });
};

/** Keys and values in one tensor, (2, batch, heads, tokens, size). */
function present(c: RewriteContext, name: string, key: string, value: string): void {
  const { g } = c;
  const parts = [key, value].map((x) => g.op('Unsqueeze', [turnHeads(g, x), g.ints([0])]));
  c.produce(name, 'Concat', parts, { axis: 0 });
}

/** Query, key and value, (batch, tokens, heads · size). */
function projections(c: RewriteContext, node: Node): string[] {
  const { g } = c;
  const [input, weights, bias] = node.inputs as [string, string, string | undefined];
  const sizes = attrInts(node, 'qkv_hidden_sizes');
  const paths = projectionPaths(c, node);
  // The model itself has one module for all three, as in GPT-2.
  const named = isModuleParameter(weights) || (bias !== undefined && isModuleParameter(bias));
  if (named || paths.length === 1) {
    const product = g.op('MatMul', [input, weights], {}, { name: g.fresh('projection') });
    if (!named) g.sink.at(-1)!.metadata.set(MODULE, paths[0]);
    const sum = bias ? g.op('Add', [product, bias]) : product;
    return sizes
      ? g.ops('Split', [sum, g.ints(sizes)], { axis: 2 }, { outputs: 3 })
      : g.ops('Split', [sum], { axis: 2, num_outputs: 3 }, { outputs: 3 });
  }
  const parts = blocks(c, weights, 1, sizes);
  const biases = bias ? blocks(c, bias, 0, sizes) : [];
  return parts.map((weight, i) => {
    // A name other than its output's, which an adapter's sum gets.
    const product = g.op('MatMul', [input, weight], {}, { name: g.fresh('projection') });
    g.sink.at(-1)!.metadata.set(MODULE, paths[i]);
    return biases[i] ? g.op('Add', [product, biases[i]]) : product;
  });
}
