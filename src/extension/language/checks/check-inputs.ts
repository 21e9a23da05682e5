import { own } from '../../../base/names';
import type { TaskDescription } from '../../../experiment/tasks/kind';
import { DEFAULT_TASK, TASKS } from '../../../experiment/tasks/registry';
import { modelFileLater } from '../../../files/model-path';
import type { InputFile, UnusableInput } from '../../models/input-files';
import { editorHint, shortPaths } from '../../words/error-text';
import type { ExperimentText } from '../../../runs/experiment/experiment-text';
import type { Finding } from '../finding';
import { fileBeside, kindOf } from './check-files';

/** The tokenizer or preprocessor that an experiment names or that is beside its model, if it exists. */
export async function inputFilesOf(doc: ExperimentText): Promise<InputFile[]> {
  const model = doc.string('model', 'path');
  if (model === undefined) return [];
  const path = await modelFileLater(doc.resolve(model));
  const { input, answer } =
    own<TaskDescription>(TASKS, doc.string('task', 'type') ?? '') ?? TASKS[DEFAULT_TASK];
  // A pipeline has its tokenizers in folders.
  if (answer === 'picture') return [];
  const kind = input === 'image' ? 'preprocessor' : 'tokenizer';
  const written = doc.string('model', kind);
  const file = written === undefined ? await fileBeside(path, kind) : doc.resolve(written);
  return file !== undefined && (await kindOf(file)) === 'file' ? [{ kind, path: file }] : [];
}

/** Reported where the file is named, otherwise at the model. */
export const inputFindings = (
  doc: ExperimentText,
  unusable: readonly UnusableInput[],
  folders: readonly string[],
): Finding[] =>
  unusable.map(({ kind, error: { message, hint } }) => ({
    ...doc.span('model', doc.node('model', kind) ? kind : 'path'),
    severity: 'error',
    code: `${kind}-unusable`,
    message: shortPaths(hint ? `${message} ${editorHint(hint)}` : message, folders),
    fixes: [],
  }));
