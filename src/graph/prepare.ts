import { joinDynamic } from './quantized/dynamic-quantization';
import type { Model } from './model';
import { fuseGelu } from './passes/fuse-gelu';
import { decoderBranch, withoutPackedCaches, withoutPast } from './without-past';
import { unfuse } from './unfuse/unfuse';
import { upgradeModel } from './upgrade/upgrade';
import { widen } from './upgrade/widen';

/**
 * A loaded model in the form that rules and rewrites expect: the internal opset, standard operators, and a single GELU.
 * A decoder with a key/value cache reads texts from their beginning, without one.
 */
export const prepareModel = (model: Model): Model =>
  standard(withoutPackedCaches(withoutPast(upgraded(decoderBranch(model, false)))));

/** The model at the internal opset, and computing in float32. */
export const upgraded = (model: Model): Model => widen(upgradeModel(model));

/**
 * The model in standard operators, after the cache is taken away or kept; then a fused attention with a cache stays as
 * it is.
 */
export const standard = (model: Model, keepPast = false): Model =>
  fuseGelu(unfuse(joinDynamic(model), keepPast));
