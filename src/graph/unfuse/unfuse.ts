import type { Model } from '../model';
import { rewriteModel, type Rewrite } from '../rewrite';
import { gelu, quickGelu } from './gelu';
import {
  simplifiedLayerNormalization,
  skipLayerNormalization,
  skipSimplifiedLayerNormalization,
} from './layernorm';
import { fusedMatMul } from './matmul';

/** ONNX Runtime's fused operators (its ContribOperators.md) by domain and name. */
const REWRITES = new Map<string, Rewrite>([
  ['com.microsoft:Gelu', gelu('none')],
  ['com.microsoft:BiasGelu', gelu('none')],
  ['com.microsoft:FastGelu', gelu('tanh')],
  ['com.microsoft:QuickGelu', quickGelu],
  ['com.microsoft:SkipLayerNormalization', skipLayerNormalization],
  ['com.microsoft:SkipSimplifiedLayerNormalization', skipSimplifiedLayerNormalization],
  ['com.microsoft:SimplifiedLayerNormalization', simplifiedLayerNormalization],
  // ONNX Runtime puts this non-standard operator into the standard domain.
  [':SimplifiedLayerNormalization', simplifiedLayerNormalization],
  ['com.microsoft:FusedMatMul', fusedMatMul],
]);

/**
 * A copy of a model in the internal opset, with ONNX Runtime's fused operators replaced by standard ones, which have
 * gradient rules. The operator that does the work keeps the replaced node's name, so module paths still match, and its
 * outputs keep their names.
 *
 * @throws AuroraError 'model' if a shape that the replacement needs is not declared
 */
export const unfuse = (model: Model): Model =>
  rewriteModel(model, '/unfuse', (node) => REWRITES.get(`${node.domain}:${node.opType}`));
