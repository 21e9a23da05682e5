import { basename } from 'node:path';
import { changeWords, type InputsNote } from '../protocol/inputs-words';
import type { InputChange } from '../protocol/events';
import { changedInputs, filesBehind, readInputs, type CompareOptions } from './inputs';
import type { RunSummary } from './read';

/** Which files are not what one of a run's steps was trained on. None where that was not recorded. */
export async function changedSince(
  { folder, spec }: RunSummary,
  step: number,
  options?: CompareOptions,
): Promise<InputChange[]> {
  const record = readInputs(folder);
  const changes = await changedInputs((record && filesBehind(record, step)) ?? [], options);
  // Training data that are gone are needed for nothing but the split.
  return changes.filter(
    ({ role, after }) => role !== 'train' || after !== null || spec.data.validation === undefined,
  );
}

/**
 * What is to be said of a run's files beside anything that is measured with them. It is passed on with exports, so it
 * does not say where the files lie on this machine.
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
            'What the run was trained on was not recorded, so it cannot be checked that its files are still the same.',
          ],
  };
}
