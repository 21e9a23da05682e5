import type { Experiment } from '../../experiment/experiment';
import { HEAD_ALONE } from '../../experiment/methods';
import type { Evaluated } from '../../protocol/events';
import { measureTask } from '../export/measure';
import { prepareTask } from '../task/task';

/**
 * Loss and metrics on the validation data of a model as its file has it: what a run that trains no head starts from.
 *
 * @param folder for temporary graphs
 */
export async function measureUntrained(spec: Experiment, folder: string): Promise<Evaluated> {
  const task = await prepareTask({ ...spec, adapter: HEAD_ALONE }, folder);
  return (await measureTask(task, new Map(), folder)).metrics;
}
