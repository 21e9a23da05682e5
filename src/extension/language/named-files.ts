import { dirname, join } from 'node:path';
import { modelFileLater } from '../../files/model-path';
import { TOKENIZER_NAMES } from '../../files/tokenizer-path';
import { filesOfLater } from '../../files/pattern';
import { fileKeys } from './checks/check-files';
import type { ExperimentText } from '../../runs/experiment/experiment-text';

/** The files that are searched for beside a model. */
const BESIDE = [...TOKENIZER_NAMES, 'preprocessor_config.json'];

/** The files that an experiment is checked against, whether or not they exist; a pattern as its files. */
export async function namedFiles(doc: ExperimentText): Promise<string[]> {
  const files: string[] = [];
  for (const { path } of fileKeys(doc)) {
    const written = doc.string(...path);
    if (written === undefined) continue;
    const file = doc.resolve(written);
    if (path[0] === 'data') files.push(...(await filesOfLater(file).catch(() => [file])));
    else files.push(file);
    if (path[0] !== 'model' || path[1] !== 'path') continue;
    const model = await modelFileLater(file);
    files.push(model, ...BESIDE.map((name) => join(dirname(model), name)));
  }
  return files;
}
