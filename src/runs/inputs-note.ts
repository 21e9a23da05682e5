import { basename } from 'node:path';
import { changeWords, type InputsNote } from '../protocol/inputs-words';
import type { InputChange } from '../protocol/events';
import { changedInputs, filesBehind, readInputs, type CompareOptions } from './inputs';
import type { RunSummary } from './run-summary';

/** The files that have changed since a step of the run was trained on them. Empty if they were not recorded. */
export async function changedSince(
  { folder, spec }: RunSummary,
  step: number,
  options?: CompareOptions,
  record = readInputs(folder),
): Promise<InputChange[]> {
  const changes = await changedInputs((record && filesBehind(record, step)) ?? [], options);
  return changes.filter(
    ({ role, after }) =>
      // Only scores that the journal already has come from these files.
      role !== 'test' &&
      role !== 'evaluation' &&
      // If the training data are gone, that matters only if the validation data were split off them.
      (role !== 'train' || after !== null || spec.data.validation === undefined),
  );
}

/**
 * Remarks about a run's files, to accompany anything that is measured with them. Exports include them, so they contain
 * no paths of this machine.
 */
export async function inputsNote(run: RunSummary, step: number): Promise<InputsNote> {
  const record = readInputs(run.folder);
  const accepted = run.events.flatMap((e) =>
    e.kind === 'inputs-accepted' && e.step < step
      ? [
          `From step ${e.step} on the run was trained on changed files: ${e.files.map(({ path }) => basename(path)).join(', ')}.`,
        ]
      : [],
  );
  return {
    changed: (await changedSince(run, step)).map(
      (c) => `${changeWords({ ...c, path: basename(c.path) })} since the run was trained.`,
    ),
    notes:
      record && filesBehind(record, step)
        ? accepted
        : [
            ...accepted,
            'The files that the run was trained on were not recorded, so changes to them cannot be detected.',
          ],
  };
}
