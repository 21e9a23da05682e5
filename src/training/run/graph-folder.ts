import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../files/cache-folder';
import { modelKind } from '../../files/model-path';
import { removeAbandoned, temporaryBeside } from '../../files/temporary';
import type { Experiment } from '../../experiment/experiment';
import { showsChanges } from '../../graph/file/place-weights';

/** Bytes of a model that is not copied if there is another way. */
const LARGE = 1e9;

/**
 * The folder of the runtime's graphs, with the model's weights linked beside them: in the run or, for a large model on
 * another file system than the run's, beside the model, under a name that is removed with the run's process or by the
 * next one.
 */
export function graphFolderOf(run: string, { model }: Pick<Experiment, 'model'>, large = LARGE): string {
  const inRun = join(run, 'graph');
  try {
    const root = dirname(model.path);
    // The other parts of a pipeline are smaller.
    const own = modelKind(model.path) === 'pipeline' ? join(root, 'unet') : root;
    const weights = model.quantize === undefined ? own : cacheFolder();
    if (statSync(weights).dev === statSync(run).dev || bytesIn(own) < large || !showsChanges(weights))
      return inRun;
    removeAbandoned(weights);
    const beside = temporaryBeside(join(weights, 'graph'));
    mkdirSync(beside);
    process.once('exit', () => rmSync(beside, { recursive: true, force: true }));
    return beside;
  } catch {
    // A folder that does not exist, or cannot be written to: the model's reader reports the problem.
    return inRun;
  }
}

const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => {
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    return sum + (found?.isFile() ? found.size : 0);
  }, 0);
