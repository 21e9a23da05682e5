import { Refusals } from '../../base/refusals';
import type { Model, Node } from '../model';
import { rewriteModel, type Rewrite } from '../rewrite';
import { attention } from './attention';
import { biasAdd, biasSplitGelu, gelu, swish } from './elementwise';
import {
  embedLayerNormalization,
  groupNorm,
  skipGroupNorm,
  simplifiedLayerNormalization,
  skipLayerNormalization,
  skipSimplifiedLayerNormalization,
} from './normalization';
import { fusedConv, fusedGemm, fusedMatMul, nhwcConv } from './fused-conv-and-matmul';
import { groupQueryAttention } from './group-query-attention';
import { multiHeadAttention } from './multi-head-attention';
import { relativePositionBias } from './relative-position-bias';
import { rotaryEmbedding } from './rotary-embedding';

/** Operators that stand for several standard ones, by `domain:opType`: ONNX Runtime's (its ContribOperators.md). */
const REWRITES = new Map<string, Rewrite>([
  ['com.microsoft:Attention', attention],
  ['com.microsoft:BiasAdd', biasAdd],
  ['com.microsoft:BiasGelu', gelu('none')],
  ['com.microsoft:BiasSplitGelu', biasSplitGelu],
  ['com.microsoft:EmbedLayerNormalization', embedLayerNormalization],
  ['com.microsoft:FastGelu', gelu('tanh')],
  ['com.microsoft:FusedConv', fusedConv],
  ['com.microsoft:FusedGemm', fusedGemm],
  ['com.microsoft:FusedMatMul', fusedMatMul],
  ['com.microsoft:Gelu', gelu('none')],
  ['com.microsoft:GroupNorm', groupNorm],
  ['com.microsoft:GroupQueryAttention', groupQueryAttention],
  ['com.microsoft:MultiHeadAttention', multiHeadAttention],
  ['com.microsoft:NhwcConv', nhwcConv],
  ['com.microsoft:QuickGelu', swish(1.702)],
  ['com.microsoft:RelativePositionBias', relativePositionBias],
  ['com.microsoft:RotaryEmbedding', rotaryEmbedding],
  ['com.microsoft:SimplifiedLayerNormalization', simplifiedLayerNormalization],
  ['com.microsoft:SkipGroupNorm', skipGroupNorm],
  ['com.microsoft:SkipLayerNormalization', skipLayerNormalization],
  ['com.microsoft:SkipSimplifiedLayerNormalization', skipSimplifiedLayerNormalization],
  // FusedMatMul's former name.
  ['com.microsoft:TransposeMatMul', fusedMatMul],
  // ONNX Runtime puts this non-standard operator into the standard domain.
  [':SimplifiedLayerNormalization', simplifiedLayerNormalization],
]);

/** The index of a fused attention's input with the keys of earlier tokens. */
const PAST_AT = new Map([
  ['Attention', 4],
  ['MultiHeadAttention', 6],
  ['GroupQueryAttention', 3],
]);

const hasPast = ({ opType, inputs }: Node): boolean => Boolean(inputs[PAST_AT.get(opType) ?? Infinity]);

/**
 * A copy of a model in the internal opset, with fused operators replaced by standard ones, which have gradient rules.
 * The operator that does the work keeps the replaced node's name, so module paths still match, and its outputs keep
 * their names.
 *
 * @param keepPast true if a fused attention that reads a key/value cache stays, which only texts from their beginning
 *   can do without
 * @throws AuroraError 'model' naming each node with an attribute or an input that is not supported
 */
export function unfuse(model: Model, keepPast = false): Model {
  const refusals = new Refusals();
  const unfused = rewriteModel(model, '/unfuse', (node) => {
    const rewrite = REWRITES.get(`${node.domain}:${node.opType}`);
    if (!rewrite || (keepPast && node.domain !== '' && hasPast(node))) return undefined;
    return (copy, c) => refusals.attempt(() => rewrite(copy, c));
  });
  refusals.throwAll();
  return unfused;
}
