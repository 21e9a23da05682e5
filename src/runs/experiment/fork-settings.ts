import { changeExperiment, settingChanges, type SettingChange } from './change';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';

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
