import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Experiment } from '../../experiment/experiment';
import { withPaths } from '../../experiment/paths';
import { sortedJson } from '../../base/sorted-json';

/**
 * SHA-256 of an experiment, independent of key order: equal if two runs would train the same. In paths, only names
 * count: a project may be moved, and inputs.json has the content of its files.
 */
export const specHash = (spec: Experiment): string =>
  createHash('sha256')
    .update(sortedJson(withPaths(spec, (path) => basename(path))))
    .digest('hex');
