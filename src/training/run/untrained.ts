import { join } from 'node:path';
import type { ModelSource } from '../../architectures/model-source';
import { temporaryFolderFor } from '../../files/system-temporary';
import type { Experiment } from '../../experiment/experiment';
import { HEAD_ALONE } from '../../experiment/methods';
import type { Evaluated } from '../../protocol/events';
import { taskKind } from '../../tasks/registry';
import { withEncodings } from '../diffusion/encode-data';
import { measureTask } from '../measure/measure';
import { removedAtEnd } from '../process/removed-at-exit';
import { prepareTask } from '../task/task';

/**
 * Loss and metrics on the validation data of a model as its file has it: the starting point of a run that trains no
 * head. Leaves signals alone, since a run that follows saves before it ends.
 *
 * @param seen called after each example
 * @param source of the model, if it is known
 */
export async function measureUntrained(
  spec: Experiment,
  seen?: () => void,
  source?: ModelSource,
): Promise<Evaluated> {
  const folder = temporaryFolderFor('untrained');
  const remove = removedAtEnd(folder);
  try {
    const encodings = { keep: join(folder, 'encoded'), folder: join(folder, 'encoder'), threads: 0 };
    const load = withEncodings(taskKind(spec.task.type).load, encodings);
    const task = await prepareTask({ ...spec, adapter: HEAD_ALONE }, folder, { source, load });
    return (await measureTask(task, new Map(), folder, seen)).metrics;
  } finally {
    remove();
  }
}
