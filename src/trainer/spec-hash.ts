import { createHash } from 'node:crypto';
import type { Experiment } from '../shared/experiment';

/** SHA-256 of an experiment, whatever the order of its keys: equal where two runs would train the same. */
export const specHash = (spec: Experiment): string =>
  createHash('sha256').update(JSON.stringify(spec, sorted)).digest('hex');

const sorted = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
