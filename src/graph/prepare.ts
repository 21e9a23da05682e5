import { lowerContrib } from './lower/lower';
import type { Model } from './model';
import { fuseGelu } from './passes/fuse-gelu';
import { upgradeModel } from './upgrade/upgrade';

/**
 * A loaded model in the form that rules and rewrites expect: the internal opset, standard operators, and a single GELU.
 */
export const prepareModel = (model: Model): Model => fuseGelu(lowerContrib(upgradeModel(model)));
