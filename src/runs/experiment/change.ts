import type { Experiment } from '../../experiment/experiment';
import { parseExperiment } from './load';
import { parseOverride } from './overrides';

/** A setting that differs between two experiments, by dotted key. A side that lacks the setting is left out. */
export interface SettingChange {
  key: string;
  from?: unknown;
  to?: unknown;
}

/** Settings that default to another setting and keep following it. */
const FOLLOWERS = { headLearningRate: 'learningRate', headWeightDecay: 'weightDecay' } as const;

/**
 * A run's experiment with changed settings ("training.learningRate=1e-4"), checked again. A setting that equals the one
 * it defaults to, and is not overridden itself, follows that one.
 *
 * @param file the run's spec.json, for messages
 * @throws AuroraError 'experiment' or 'usage' like loadExperiment
 */
export function changeExperiment(spec: Experiment, overrides: readonly string[], file: string): Experiment {
  const training: Partial<Experiment['training']> = { ...spec.training };
  for (const [follower, leader] of Object.entries(FOLLOWERS) as [keyof typeof FOLLOWERS, 'learningRate'][])
    if (training[follower] === training[leader] && sets(overrides, `training.${leader}`))
      delete training[follower];
  return parseExperiment(file, JSON.stringify({ ...spec, training }, null, 2), overrides);
}

const sets = (overrides: readonly string[], key: string): boolean =>
  overrides.some((text) => parseOverride(text).path.join('.') === key);

/** The settings in which two experiments differ, in the order of the first; lists are compared as a whole. */
export function settingChanges(from: Experiment, to: Experiment): SettingChange[] {
  const [before, after] = [leaves(from), leaves(to)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((key) => ({ key, from: before.get(key), to: after.get(key) }))
    .filter((change) => JSON.stringify(change.from) !== JSON.stringify(change.to));
}

function leaves(value: object, prefix = '', out = new Map<string, unknown>()): Map<string, unknown> {
  for (const [key, part] of Object.entries(value) as [string, unknown][]) {
    if (typeof part === 'object' && part !== null && !Array.isArray(part))
      leaves(part, `${prefix}${key}.`, out);
    else if (part !== undefined) out.set(prefix + key, part);
  }
  return out;
}
