import { attrFloat, attrInt } from '../attributes';
import type { Node } from '../model';
import type { Rewrite, RewriteContext } from '../rewrite';
import { blocks, dotProduct, pick, sizeOf, splitHeads, turnHeads } from './parts/attention';
import { lastSize } from './parts/known-shape';
import { causalBias, maskBias } from './parts/masks';
import { refusal, requireKnown } from './parts/refuse';

const ATTRIBUTES = ['mask_filter_value', 'num_heads', 'scale', 'unidirectional'];
const INPUTS = [
  'query',
  'key',
  'value',
  'bias',
  'key_padding_mask',
  'attention_bias',
  '(past_key)',
  '(past_value)',
  '(past_sequence_length)',
  '(cache_indirection)',
];
const OUTPUTS = ['output', 'present_key', 'present_value', '(qk)'];

/** Attention between projections, which it may give their biases. */
export const multiHeadAttention: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: INPUTS, outputs: OUTPUTS });
  const [query, key, , , mask, bias] = node.inputs;
  const [q, k, v] = projections(c, node);
  present(c, node, k, v);
  const type = c.declared.floatType(query);
  const filter = attrFloat(node, 'mask_filter_value', -10000);
  const sequence = { tokens: q, keys: k };
  const masked = mask ? [maskBias(c, node, mask, sequence, { filter, begins: false })] : [];
  // ONNX Runtime leaves the last token's row as it is, which only matters for keys of another text.
  const causal =
    attrInt(node, 'unidirectional', 0) === 1
      ? [causalBias(c, sequence, type, mask || `${query} ${key ?? ''}`, { openEnd: Boolean(key) })]
      : [];
  dotProduct(c, node, {
    query: q,
    key: k,
    value: v,
    scale: attrFloat(node, 'scale', 0),
    biases: [...(bias ? [bias] : []), ...masked, ...causal],
  });
};

function present(c: RewriteContext, node: Node, k: string, v: string): void {
  const [, key, value] = node.outputs;
  if (key) c.produce(key, 'Transpose', [k], { perm: [0, 2, 1, 3] });
  if (value) c.produce(value, 'Transpose', [v], { perm: [0, 2, 1, 3] });
}

/** Query, key and value with their biases, (batch, tokens, heads, size). */
function projections(c: RewriteContext, node: Node): [string, string, string] {
  const { g } = c;
  const heads = attrInt(node, 'num_heads', 1);
  const [query, key, value, bias] = node.inputs;
  const divided = Boolean(key) && c.declared.rank(key) === 4;
  if (bias && divided) throw refusal(node, 'a bias and keys that are already divided into heads');
  const parts = bias ? biases(c, bias, node.inputs) : [];
  const flat = (x: string, i: number) => splitHeads(g, parts[i] ? g.op('Add', [x, parts[i]]) : x, heads);
  const packed = (x: string, index: number, i: number) => {
    const one = pick(g, x, 3, index);
    return parts[i] ? g.op('Add', [one, g.op('Reshape', [parts[i], g.ints([heads, -1])])]) : one;
  };
  if (!key && c.declared.rank(query) === 3)
    throw refusal(node, `the packed input query (${query}) of three axes`);
  // (batch, tokens, heads, 3, size).
  if (!key) return [packed(query, 0, 0), packed(query, 1, 1), packed(query, 2, 2)];
  const q = flat(query, 0);
  // (batch, keys, heads, 2, size).
  if (!value) return [q, packed(key, 0, 1), packed(key, 1, 2)];
  // Keys of another text, computed before: (batch, heads, keys, size).
  if (divided) return [q, turnHeads(g, key), turnHeads(g, value)];
  return [q, flat(key, 1), flat(value, 2)];
}

/** The three biases in one constant: those of query and key are equally long, that of values may differ. */
function biases(c: RewriteContext, bias: string, [query, key, value]: readonly string[]): string[] {
  if (!key || !value) return blocks(c, bias, 0);
  const all = c.constant(bias)?.dims[0];
  const width = lastSize(c, query);
  if (all !== undefined && width !== undefined) return blocks(c, bias, 0, [width, width, all - 2 * width]);
  const { g } = c;
  const sizes = [query, query, value].map((x) => sizeOf(g, x, 2));
  return blocks(c, bias, 0, g.op('Concat', sizes, { axis: 0 }));
}
