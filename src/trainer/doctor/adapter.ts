import { AURORA_DEFAULTS } from '../../adapters/methods/defaults';
import type { AuroraSpec } from '../../experiment/experiment';

/** What is trained where a step is timed, by the doctor and by the benchmarks: the paper's setting. */
export const TIMED_ADAPTER: AuroraSpec = { ...AURORA_DEFAULTS, targetModules: ['query', 'value'] };
