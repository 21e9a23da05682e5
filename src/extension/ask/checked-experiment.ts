import { access } from 'node:fs/promises';
import { readStoredText } from '../../files/read';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { evaluationSets } from '../../experiment/evaluation-sets';
import { parseHubReference } from '../../experiment/hub-reference';
import { describeTask } from '../../experiment/tasks/registry';
import { filesOfLater } from '../../files/pattern';
import { ExperimentText, mistakesError, withoutMark } from '../../runs/experiment/experiment-text';
import {
  checkWithTrials,
  requireValid,
  unreadable,
  type CheckedExperiment,
  type ValidExperiment,
} from '../../runs/experiment/load';

/** The experiment in a file as it is on disk, with its mistakes. */
export async function readChecked(file: string): Promise<CheckedExperiment> {
  const text = await readStoredText(file).catch((e: unknown) => {
    throw unreadable(file, e);
  });
  return checkWithTrials(new ExperimentText(file, withoutMark(text)));
}

/**
 * The complete experiment, with all its files present.
 *
 * @throws AuroraError 'experiment' with the places of its mistakes, which `explaining` shows
 */
export async function requireUsable(checked: CheckedExperiment): Promise<ValidExperiment> {
  const valid = requireValid(checked);
  const { doc, experiment: spec } = valid;
  const files: [path: string[], file: string | undefined, message: (path: string) => string][] = [
    [['model', 'path'], spec.model.path, (p) => t('The model {0} does not exist.', p)],
    // A model reads texts or images; a pipeline has its tokenizers in folders.
    [
      ['model', 'tokenizer'],
      spec.model.preprocessor === undefined && describeTask(spec.task.type).answer !== 'picture'
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
  for (const [path, target, missing] of files) {
    if (target === undefined) continue;
    const message = await problemOf(target, (p) => notDownloaded(doc.string(...path)) ?? missing(p));
    if (message !== undefined) throw mistakesError([{ ...doc.placeOf({ path }), message }]);
  }
  return valid;
}

/** Undefined for a file that is not on the hub. */
function notDownloaded(written = ''): string | undefined {
  const ref = parseHubReference(written);
  return ref && t('{0} has not been downloaded to this machine.', ref.repo);
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
