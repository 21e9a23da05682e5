import { lowerContrib } from './lower/lower';
import type { Model } from './model';
import { upgradeModel } from './upgrade/upgrade';

/** A loaded model in the form that rules and rewrites know: the internal opset, standard operators. */
export const prepareModel = (model: Model): Model => lowerContrib(upgradeModel(model));
