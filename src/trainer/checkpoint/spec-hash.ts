import { createHash } from 'node:crypto';
import type { Experiment } from '../../experiment/experiment';
import { sortedJson } from '../../base/sorted-json';

/** SHA-256 of an experiment, whatever the order of its keys: equal where two runs would train the same. */
export const specHash = (spec: Experiment): string =>
  createHash('sha256').update(sortedJson(spec)).digest('hex');
