import { join } from 'node:path';
import { modelSource } from '../../architectures/model-source';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { HEAD_ALONE, METHOD_NAMES, trainingOfOthers } from '../../experiment/methods';
import { layersBeside } from '../../graph/reach';
import { headLayer } from '../../graph/task-head';
import type { AdapterFolder } from '../../peft/adapter-folder';
import { adaptedConvolutions } from '../../peft/adapted-convolutions';
import { fitAdapter, type FittedAdapter } from '../../peft/fit';
import type { Outputs } from '../../protocol/outputs';
import { UNSCALED } from '../../tasks/answers';
import { HEAD_BIAS, HEAD_WEIGHT } from '../../tasks/head';
import { taskKind } from '../../tasks/task-registry';
import { withEncodings } from '../diffusion/encode-data';
import { type AdaptedModel, adaptTo, readModel, withLinear } from '../task/adapted-model';
import { initialParameters, makeTask, type Task } from '../task/task';

/** An adapter from disk, as a run of an experiment holds it. */
export interface ImportSubject {
  /** Its spec has the adapter's own settings instead of the file's. */
  task: Task;
  parameters: Map<string, Float32Array>;
  warnings: string[];
}

/**
 * @param near a folder for temporary graphs on the model's file system
 * @throws AuroraError if the adapter does not fit the experiment's model, data or task
 */
export async function importSubject(
  from: AdapterFolder,
  experiment: Experiment,
  near: string,
): Promise<ImportSubject> {
  const whole = { ...experiment, adapter: HEAD_ALONE };
  const base = readModel(modelSource(experiment.model.path), whole);
  const convolutions = adaptedConvolutions(base.original.graph, [from]);
  const plain = adaptTo(convolutions.size > 0 ? withLinear(base, convolutions) : base, whole);
  const keepsHead = experiment.task.head === 'none' && headLayer(plain.model) !== undefined;
  const fitted = fitAdapter(from, plain.model.graph, plain.layers, { keepsHead });
  requireReaching(from.folder, plain, fitted);
  const warnings: string[] = [];
  const spec = specOf(from, experiment, fitted, warnings);
  const known = from.own;
  const encodings = { keep: join(near, 'encoded'), folder: join(near, 'encoder'), threads: 0 };
  const read = withEncodings(taskKind(spec.task).load, encodings);
  const load = (outputs?: Outputs) => read(spec, plain, outputs);
  const found = await load(known);
  // A head from elsewhere gives numbers in the unit of the data.
  const unscaled = fitted.head && !known && found.scale;
  const data = unscaled ? await load({ labels: found.labels, scale: UNSCALED }) : found;
  const task = await makeTask(spec, { ...plain, adapters: fitted.adapters }, data, near);
  const parameters = new Map([...initialParameters(task), ...fitted.parameters]);
  if (fitted.head) {
    headOf(from.folder, fitted.head, task).forEach((values, name) => parameters.set(name, values));
    if (!known)
      warnings.push(
        `${from.folder} does not list its labels: they are assumed to be ${data.labels.map((l) => `"${l}"`).join(', ')}, in this order.`,
      );
    if (!from.own?.pooling)
      warnings.push(
        `${from.folder} does not state what its head reads: it is applied to the ${HEAD_READS[spec.task.pooling]} (task.pooling). If the original model has other layers before the head, such as BERT's pooler, the predictions are meaningless.`,
      );
  } else if (task.head) warnings.push(`${from.folder} has no head: the run starts with an untrained one.`);
  return { task, parameters, warnings };
}

/** Otherwise the run could not be opened. */
function requireReaching(
  folder: string,
  { model, layers, output }: AdaptedModel,
  { adapters }: FittedAdapter,
): void {
  const beside = new Set(layersBeside(model.graph, layers, output));
  const found = adapters.map((a) => a.layer.path).filter((path) => beside.has(path));
  if (found.length > 0)
    throw new AuroraError(
      'adapter',
      `${folder} adapts ${found.join(', ')}, but the output ${output} of the experiment does not depend on ${found.length === 1 ? 'it' : 'them'}.`,
      'Set model.output to the output that the adapter was trained on.',
    );
}

const HEAD_READS = {
  mean: 'mean of the hidden states',
  'first-token': 'hidden state of the first token',
} as const;

/** @param warnings receives the settings that do not match the adapter */
function specOf(
  from: AdapterFolder,
  experiment: Experiment,
  fitted: FittedAdapter,
  warnings: string[],
): Experiment {
  const spec: Experiment = { ...experiment, adapter: fitted.spec };
  if (fitted.head && spec.task.head === 'none')
    throw new AuroraError(
      'adapter',
      `${from.folder} has a head, but the experiment uses the model's own logits.`,
      'Set task.head to "linear".',
    );
  if (fitted.head?.module.includes('.') && spec.task.headWeights !== 'model')
    throw new AuroraError(
      'adapter',
      `${from.folder} contains a head with more than one layer: ${fitted.head.module} is the last.`,
      'Set task.headWeights to "model" if the folder of the model has the other layers.',
    );
  const pooling = from.own?.pooling;
  if (fitted.head && pooling && pooling !== 'none') spec.task = { ...spec.task, pooling };
  const without = (key: 'staticEpochs' | 'earlyStopping', why: string) => {
    if (!spec.training[key]) return;
    warnings.push(`training.${key} of the experiment is ignored: ${why}.`);
    spec.training = { ...spec.training, [key]: undefined };
  };
  const { method } = fitted.spec;
  for (const { key, of } of trainingOfOthers(method))
    without(key, `it applies only to ${of}, and this adapter uses ${METHOD_NAMES[method]}`);
  // A static adapter continues static, from start to end.
  if (fitted.adapters[0].form === 'static') {
    without('earlyStopping', 'it cannot be combined with the static form, in which this adapter was trained');
    spec.training = { ...spec.training, staticEpochs: spec.training.epochs };
  }
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
  if (dims !== `${classes} × ${hidden}`)
    throw new AuroraError(
      'adapter',
      `The head in ${folder} is ${dims}, but the experiment needs ${classes} × ${hidden}: ${classes} labels, ${hidden} features.`,
      'It was trained on other labels, or on another model.',
    );
  return new Map([
    [HEAD_WEIGHT, weight.data],
    [HEAD_BIAS, bias?.data ?? new Float32Array(classes)],
  ]);
}
