import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../base/errors';
import type { Experiment } from '../experiment/experiment';
import type { InputChange } from '../protocol/events';
import { changeWords } from '../protocol/inputs-words';
import type { InputFile } from '../runs/input-file';
import { hashInput, type NamedInput } from '../runs/inputs';
import { runPaths } from '../runs/layout';
import type { SweepRecord, TrialRecord } from '../runs/sweep/record';
import { plannedInputs } from '../training/inputs/planned';
import { changedImagesOf } from '../training/inputs/run-inputs';

/**
 * The inputs of a new trial. Trials of a sweep are compared with each other, so each file must be the same one that
 * earlier trials read at its path. Call before the trial's folder is created; new files are added to the record, which
 * the caller saves.
 *
 * @param runs the folder of the trials' runs
 * @param accept true to accept changed files
 * @throws AuroraError 'inputs' if a file has changed and that is not accepted
 */
export async function trialInputs(
  record: SweepRecord,
  { number }: TrialRecord,
  spec: Experiment,
  { runs, accept }: { runs: string; accept: boolean },
): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const file of await pathsOf(spec)) files.push(await hashInput(file));
  const known = knownInputs(record, runs);
  const changes = changesFrom(known, files);
  if (changes.length > 0 && !accept) throw refusal(`Trial ${number} was not`, changes);
  if (changes.length > 0)
    record.acceptedInputs = [
      ...(record.acceptedInputs ?? []),
      { trial: number, at: Date.now(), files: changes },
    ];
  for (const file of files) known.set(file.path, file);
  record.inputs = [...known.values()];
  return files;
}

/**
 * Compares the inputs of all new trials at once, before any trial is started or resumed. Records nothing.
 *
 * @param specs each planned trial's experiment, by id
 * @throws AuroraError 'inputs' if a file has changed
 */
export async function refuseChangedInputs(
  record: SweepRecord,
  specs: ReadonlyMap<string, Experiment>,
  runs: string,
): Promise<void> {
  const known = knownInputs(record, runs);
  if (known.size === 0) return;
  const isNew = ({ run, planned, passedOver }: TrialRecord) =>
    planned && !passedOver && !(run !== undefined && existsSync(runPaths(join(runs, run)).events));
  // Most trials have the same model and data, and a model takes long to read.
  const distinct = new Map(
    record.trials.filter(isNew).map(({ id }) => {
      const { model, data } = specs.get(id)!;
      return [JSON.stringify([model, data]), specs.get(id)!];
    }),
  );
  const paths = (await Promise.all([...distinct.values()].map(pathsOf))).flat();
  const files = new Map<string, InputFile>();
  const patterns = patternsOf(known.values());
  for (const file of paths)
    if (!files.has(file.path) && (known.has(file.path) || patterns.has(file.pattern)))
      files.set(file.path, await hashInput(file));
  const changes = changesFrom(known, [...files.values()]);
  if (changes.length > 0) throw refusal('No trial was', changes);
}

/** By path. If every trial was deleted, there is nothing to compare with. */
function knownInputs({ trials, inputs = [] }: SweepRecord, runs: string): Map<string, InputFile> {
  const hasTrials = trials.some((t) => t.run !== undefined && existsSync(join(runs, t.run)));
  return new Map(hasTrials ? inputs.map((file) => [file.path, file]) : []);
}

/** The files of a pattern are compared as a whole: one more or less changes the data too. */
function changesFrom(known: ReadonlyMap<string, InputFile>, files: readonly InputFile[]): InputChange[] {
  const patterns = patternsOf(known.values());
  const now = patternsOf(files);
  const there = new Set(files.map(({ path }) => path));
  const missing = [...known.values()].filter(
    ({ path, pattern, sha256 }) =>
      sha256 !== null && pattern !== undefined && now.has(pattern) && !there.has(path),
  );
  return [
    ...files.flatMap(({ role, path, pattern, sha256, images }): InputChange[] => {
      const before = known.get(path);
      if (!before) return patterns.has(pattern) ? [{ role, path, before: null, after: sha256 }] : [];
      return [
        ...(before.sha256 === sha256 ? [] : [{ role, path, before: before.sha256, after: sha256 }]),
        ...(before.images ? changedImagesOf(before, before.images, images) : []),
      ];
    }),
    ...missing.map(({ role, path, sha256 }) => ({ role, path, before: sha256, after: null })),
  ];
}

const patternsOf = (files: Iterable<Pick<InputFile, 'pattern'>>): Set<string | undefined> => {
  const patterns = new Set(Array.from(files, ({ pattern }) => pattern));
  patterns.delete(undefined);
  return patterns;
};

/** The files of an experiment. Files that cannot be read are left to its trainer to report. */
const pathsOf = (spec: Experiment): Promise<NamedInput[]> => plannedInputs(spec, () => undefined);

const refusal = (what: string, changes: readonly InputChange[]): AuroraError =>
  new AuroraError(
    'inputs',
    `${what} started, because files that the sweep's earlier trials were trained on have changed. ${changes.map((c) => `${changeWords(c)}.`).join(' ')}`,
    'Put the files back as they were and run the sweep again. To train the remaining trials on the files as they are now, add --accept-changed-inputs; the sweep then records which files changed, and from which trial on.',
  );
