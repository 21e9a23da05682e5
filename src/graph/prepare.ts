import { unfuse } from './unfuse/unfuse';
import type { Model } from './model';
import { fuseGelu } from './passes/fuse-gelu';
import { decoderBranch } from './past/decoder-branch';
import { withoutPast } from './past/without-past';
import { upgradeModel } from './upgrade/upgrade';

/**
 * A loaded model in the form that rules and rewrites expect: the internal opset, standard operators, and a single GELU.
 * A decoder with a key/value cache reads texts from their beginning, without one.
 */
export const prepareModel = (model: Model): Model =>
  standard(withoutPast(upgradeModel(decoderBranch(model, false))));

/** The same operators, after the cache is taken away or kept. */
export const standard = (model: Model): Model => fuseGelu(unfuse(model));
