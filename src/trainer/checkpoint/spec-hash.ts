import { createHash } from 'node:crypto';
import type { Experiment } from '../../experiment/experiment';
import { sortedJson } from '../../base/sorted-json';

/** SHA-256 of an experiment, independent of key order: equal if two runs would train the same. */
export const specHash = (spec: Experiment): string =>
  createHash('sha256').update(sortedJson(spec)).digest('hex');
