import { changeExperiment, settingChanges, type SettingChange } from './change';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';

/** Why a setting cannot change in the middle of a run, by the beginning of its key; the first that fits. */
const FIXED: readonly (readonly [prefix: string, why: string])[] = [
  ['model', 'the checkpoint belongs to this model and these token ids'],
  ['task', 'the checkpoint belongs to this head'],
  ['data', 'the curve up to the checkpoint was trained and measured on these data'],
  ['adapter', 'the checkpoint holds numbers for exactly this adapter'],
  ['training.batchSize', 'the place in the epoch would shift, and texts be repeated or left out'],
  ['training.gradientAccumulation', 'the place in the epoch would shift, and texts be repeated or left out'],
];

const FREE = ['adapter.dropout'];

/**
 * The experiment of a fork: a run's own with settings changed.
 *
 * @throws AuroraError 'usage' naming a setting that decided what was already done
 */
export function forkedExperiment(
  spec: Experiment,
  overrides: readonly string[],
  file: string,
): { spec: Experiment; changed: SettingChange[] } {
  const changedSpec = changeExperiment(spec, overrides, file);
  // Checked anew itself, so that a default of this version that an older one did not know is no change.
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

/** Why a fork cannot change the setting, as the end of a sentence; undefined where it can. */
export function reasonToKeep(key: string, spec: Experiment): string | undefined {
  if (FREE.includes(key)) return undefined;
  // The seed also draws which rows are held out: another would train on what was validated before.
  if (key === 'training.seed' && spec.data.validation === undefined)
    return 'it also decides which rows are held out for validation';
  return FIXED.find(([prefix]) => key === prefix || key.startsWith(`${prefix}.`))?.[1];
}
