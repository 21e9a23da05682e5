import { type AdapterSpec, isHeadAlone } from '../../experiment/methods';
import { methodOf } from '../methods/registry';

/** True if a method's change is a low-rank product, or AuroRA's, which has a linear fit. */
export const isCombinable = (adapter: AdapterSpec): boolean =>
  !isHeadAlone(adapter) && methodOf(adapter).lowRank !== undefined;
