import { access } from 'node:fs/promises';
import * as vscode from 'vscode';
import { capital } from '../../base/capital';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { loadExperiment, loadSweep } from '../../runs/experiment/load';
import { ExperimentSource } from '../../runs/experiment/source';
import type { Sweep } from '../../runs/experiment/sweep';
import { evaluationSets } from '../../experiment/evaluation-sets';
import type { Experiment } from '../../experiment/experiment';
import { isPipelineIndex } from '../../files/model-path';
import { filesOfLater } from '../../files/pattern';
import { ExperimentProblem } from './training-problems';

/**
 * The complete experiment, with all its files present. Otherwise throws an error that `explaining` shows at its
 * position.
 */
export async function checkedExperiment(file: string): Promise<Experiment> {
  const spec = atItsPlace(file, () => loadExperiment(file));
  const files: [path: string[], file: string | undefined, message: (path: string) => string][] = [
    [['model', 'path'], spec.model.path, (p) => t('The model {0} does not exist.', p)],
    // A model reads texts or images; a pipeline has its tokenizers in folders.
    [
      ['model', 'tokenizer'],
      spec.model.preprocessor === undefined && !isPipelineIndex(spec.model.path)
        ? spec.model.tokenizer
        : undefined,
      (p) => t('The tokenizer {0} does not exist.', p),
    ],
    [['model', 'preprocessor'], spec.model.preprocessor, (p) => t('The preprocessor {0} does not exist.', p)],
    [['data', 'train'], spec.data.train, (p) => t('The training file {0} does not exist.', p)],
    [['data', 'validation'], spec.data.validation, (p) => t('The validation file {0} does not exist.', p)],
    [
      ['data', 'classImages'],
      spec.data.classImages,
      (p) => t('The folder {0} of class images does not exist.', p),
    ],
    ...evaluationSets(spec.data).map(
      ({ key, name, path }) =>
        [
          [...key],
          path,
          (p: string) =>
            name === undefined
              ? t('The test file {0} does not exist.', p)
              : t('The file {0} of the evaluation set {1} does not exist.', p, name),
        ] as [string[], string, (path: string) => string],
    ),
  ];
  for (const [path, target, message] of files) {
    if (target === undefined) continue;
    const problem = await problemOf(target, message);
    if (problem === undefined) continue;
    const text = (await vscode.workspace.openTextDocument(vscode.Uri.file(file))).getText();
    const place = `${new ExperimentSource(file, text).locate({ path, message: '' })}: ${problem}`;
    throw located(place, file) ?? new AuroraError('experiment', problem);
  }
  return spec;
}

/** The checked experiment and its sweep, with every trial. */
export async function checkedSweep(file: string): Promise<Sweep> {
  await checkedExperiment(file);
  return atItsPlace(file, () => loadSweep(file));
}

function atItsPlace<T>(file: string, load: () => T): T {
  try {
    return load();
  } catch (e) {
    if (!(e instanceof AuroraError) || e.kind !== 'experiment') throw e;
    throw located(e.message, file) ?? e;
  }
}

/** The reason why a file, or one of a pattern, cannot be read; undefined if it is there. */
async function problemOf(path: string, missing: (path: string) => string): Promise<string | undefined> {
  try {
    for (const file of await filesOfLater(path)) await access(file);
    return undefined;
  } catch (e) {
    return e instanceof AuroraError ? e.message : missing(path);
  }
}

/** Parses "FILE:LINE:COLUMN: MESSAGE", one problem per line. */
function located(text: string, file: string): ExperimentProblem | undefined {
  const lines = text.split('\n');
  const [first] = lines;
  if (!first.startsWith(`${file}:`)) return undefined;
  const match = /^(\d+):(\d+): ([^]*)$/.exec(first.slice(file.length + 1));
  if (!match) return undefined;
  const [, line, column, message] = match;
  // A key keeps its case.
  const words = /^\w+\.\w/.test(message) ? message : capital(message);
  return new ExperimentProblem(words, file, Number(line) - 1, Number(column) - 1, lines.length - 1);
}
