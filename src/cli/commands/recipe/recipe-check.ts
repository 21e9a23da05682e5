import { parameterCount } from '../../../adapters/stored-tensors';
import { AuroraError } from '../../../base/errors';
import type { Experiment } from '../../../experiment/experiment';
import type { DataRecipe, Layout } from '../../../recipes/data/data-kind';
import { parseExperiment } from '../../../runs/experiment/load';
import { taskKind } from '../../../tasks/task-registry';
import type { TaskData } from '../../../tasks/task-data';
import { adaptTo, type BaseModel } from '../../../training/task/adapted-model';

/** An experiment that was read as training will read it. */
export interface Checked {
  spec: Experiment;
  data: TaskData;
  adapterParameters: number;
}

/**
 * Reads an experiment's text, adapts its model and loads its data, without running anything.
 *
 * @throws AuroraError for anything that training would stop at, and 'labels' if they are not the data set's
 */
export async function checkText(
  file: string,
  text: string,
  { recipe, layout, base }: { recipe: DataRecipe; layout: Layout; base: BaseModel },
): Promise<Checked> {
  const spec = parseExperiment(file, text, []);
  const { adapters, model } = adaptTo(base, spec);
  const data = await taskKind(spec.task).load(spec, model);
  requireLabels(recipe, layout, data.labels, spec.data.train);
  return { spec, data, adapterParameters: parameterCount(adapters) };
}

/** Parquet files that do not name their labels have their numbers. */
function requireLabels(
  { name, id, classes }: DataRecipe,
  { labels: wanted }: Layout,
  found: readonly string[],
  path: string,
): void {
  if (classes && !classes.value.includes(found.length))
    throw new AuroraError(
      'labels',
      `${path} has ${found.length} labels, but ${name} has ${classes.value.join(' or ')}.`,
      `Check that --data is the folder of ${id}, with all of its labels.`,
    );
  if (wanted === undefined) return;
  const same = (labels: readonly string[]) =>
    labels.length === found.length && labels.every((label, i) => label === found[i]);
  if (same(wanted) || same(wanted.map((_, i) => String(i)))) return;
  throw new AuroraError(
    'labels',
    `${path} has the labels ${found.join(', ')}, but ${name} has ${wanted.join(', ')}.`,
    `Check that --data is the folder of ${id}.`,
  );
}
