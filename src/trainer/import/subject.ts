import { AuroraError } from '../../shared/errors';
import type { Experiment } from '../../shared/experiment';
import { adaptModel } from '../adapted-model';
import { loadData } from '../data';
import { HEAD_BIAS, HEAD_WEIGHT } from '../initialize';
import { initialParameters, makeTask, type Task } from '../task';
import { fitAdapter, type FittedAdapter } from './fit';
import type { AdapterFolder } from './folder';

/** An adapter from the disk as a run of an experiment has it. */
export interface ImportSubject {
  /** Its spec has the adapter's own settings in place of those of the file. */
  task: Task;
  parameters: Map<string, Float32Array>;
  warnings: string[];
}

/**
 * @param near a folder for temporary graphs on the model's file system
 * @throws AuroraError where the adapter does not fit the experiment's model, data or task
 */
export async function importSubject(
  from: AdapterFolder,
  experiment: Experiment,
  near: string,
): Promise<ImportSubject> {
  const plain = adaptModel({ ...experiment, adapter: { method: 'none' } });
  const fitted = fitAdapter(from, plain.model.graph, plain.layers);
  const spec = specOf(from, experiment, fitted);
  const known = from.own?.labels;
  const data = loadData(spec, plain.model, known);
  const task = await makeTask(spec, { ...plain, adapters: fitted.adapters }, data, near);
  const warnings: string[] = [];
  const parameters = new Map([...initialParameters(task), ...fitted.parameters]);
  if (fitted.head) {
    headOf(from.folder, fitted.head, task).forEach((values, name) => parameters.set(name, values));
    if (!known)
      warnings.push(
        `${from.folder} does not name its labels: they are taken for ${data.labels.map((l) => `"${l}"`).join(', ')}, in this order.`,
      );
  } else if (task.head) warnings.push(`${from.folder} has no head: that of the run begins untrained.`);
  return { task, parameters, warnings };
}

function specOf(from: AdapterFolder, experiment: Experiment, fitted: FittedAdapter): Experiment {
  const spec: Experiment = { ...experiment, adapter: fitted.spec };
  if (fitted.head && spec.task.head === 'none')
    throw new AuroraError(
      'adapter',
      `${from.folder} has a head, and the experiment takes the model's own logits.`,
      'Set task.head to "linear".',
    );
  const pooling = from.own?.pooling;
  if (fitted.head && pooling) spec.task = { ...spec.task, pooling };
  // What was trained static goes on static, from the begin to the end.
  if (fitted.adapters[0].form === 'static')
    spec.training = { ...spec.training, staticEpochs: spec.training.epochs, earlyStopping: undefined };
  return spec;
}

function headOf(
  folder: string,
  { weight, bias }: NonNullable<FittedAdapter['head']>,
  { data, infos, graph }: Task,
): Map<string, Float32Array> {
  const classes = data.labels.length;
  const hidden = infos.get(graph.output)!.shape.at(-1) as number;
  const dims = weight.dims.join(' × ');
  if (dims !== `${classes} × ${hidden}` || (bias && bias.data.length !== classes))
    throw new AuroraError(
      'adapter',
      `The head in ${folder} is ${dims}, and the experiment needs ${classes} × ${hidden}: ${classes} labels, ${hidden} features.`,
      'It was trained on other labels, or on another model.',
    );
  return new Map([
    [HEAD_WEIGHT, weight.data],
    [HEAD_BIAS, bias?.data ?? new Float32Array(classes)],
  ]);
}
