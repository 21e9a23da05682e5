import { AURORA_DEFAULTS } from '../../adapters/methods/aurora';
import type { AuroraSpec } from '../../experiment/methods';

/** The adapter for step timings in the doctor and the benchmarks: the paper's setting. */
export const TIMED_ADAPTER: AuroraSpec = { ...AURORA_DEFAULTS, targetModules: ['query', 'value'] };
