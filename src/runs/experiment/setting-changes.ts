import { AuroraError } from '../../base/errors';
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

/** The reason why a setting cannot change in the middle of a run, by key prefix; the first match applies. */
const FIXED: readonly (readonly [prefix: string, why: string])[] = [
  ['model', 'the checkpoint belongs to this model and these token ids'],
  ['task', 'the checkpoint belongs to this head'],
  ['data', 'the curve up to the checkpoint was trained and measured on these data'],
  ['adapter', 'the checkpoint has weights for exactly this adapter'],
  ['training.batchSize', 'the position in the epoch would shift, so texts would be repeated or skipped'],
  ['training.packing', 'the position in the epoch would shift, so texts would be repeated or skipped'],
  [
    'training.gradientAccumulation',
    'the position in the epoch would shift, so texts would be repeated or skipped',
  ],
];

const FREE = ['adapter.dropout'];

/**
 * The experiment of a fork: that of the run with changed settings.
 *
 * @throws AuroraError 'usage' naming a changed setting that the checkpoint depends on
 */
export function forkedExperiment(
  spec: Experiment,
  overrides: readonly string[],
  file: string,
): { spec: Experiment; changed: SettingChange[] } {
  const changedSpec = changeExperiment(spec, overrides, file);
  // The original is checked again too, so that a default added by this version does not count as a change.
  const changed = settingChanges(changeExperiment(spec, [], file), changedSpec);
  for (const { key } of changed) {
    const why = reasonToKeep(key, spec);
    if (why)
      throw new AuroraError(
        'usage',
        `A fork cannot change ${key}: ${why}.`,
        'Change it in the experiment file and start a new run.',
      );
  }
  return { spec: changedSpec, changed };
}

/** The reason why a fork cannot change the setting, as the end of a sentence; undefined if it can. */
export function reasonToKeep(key: string, spec: Experiment): string | undefined {
  if (FREE.includes(key)) return undefined;
  // The seed also selects the held-out rows: another seed would train on former validation rows.
  if (key === 'training.seed' && spec.data.validation === undefined)
    return 'it also decides which rows are held out for validation';
  return FIXED.find(([prefix]) => key === prefix || key.startsWith(`${prefix}.`))?.[1];
}
