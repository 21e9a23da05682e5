import { tensorName } from '../../adapters/stored-tensors';
import { withRanks } from '../../adapters/starts/allotted-ranks';
import { weightStart } from '../../adapters/starts/layer-start';
import type { Start } from '../../adapters/starts/weight-starts';
import { type LayerAdapter, selectAdapters } from '../../adapters/targets/select';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { type Initialization, isHeadAlone, isStarted, type WeightStart } from '../../experiment/methods';
import type { Ranks } from '../../protocol/ranks';
import type { Task } from '../task/task';
import { cordaStarts } from './corda';
import { evaResult, evaValues } from './eva';
import type { StartWork } from './start-work';

/** A task with the initial values of its adapters. */
export interface Started {
  task: Task;
  /** The ranks by the paths of all selected layers, if they were spread. */
  ranks?: Ranks;
}

/** True if an experiment's initial values are computed before the first step. */
export const needsStart = ({ adapter }: Pick<Experiment, 'adapter'>): boolean => isStarted(adapter);

/**
 * Computes the initial values of adapters from the weights (PiSSA, OLoRA) or from training data (EVA, CorDA). The same
 * seed gives the same values. With EVA, the task gets the ranks that the data give its layers.
 *
 * @throws AuroraError 'model' if weights cannot be read or are not finite, 'experiment' if the data do not suffice
 */
export async function computeStart(task: Task, work: StartWork): Promise<Started> {
  const { adapter } = task.spec;
  if (isHeadAlone(adapter) || !isStarted(adapter)) return { task };
  const { initialization } = adapter;
  // Not those beside the method, such as saved modules.
  const own = task.adapters.filter((a) => isStarted(a.spec));
  if (initialization === 'eva') {
    const found = await evaResult(task, own, work);
    const ranked = rankedTask(task, found.ranks);
    return { task: withStart(ranked, evaValues(ranked.adapters, found)), ranks: found.ranks };
  }
  const starts =
    initialization === 'corda'
      ? await cordaStarts(task, own, work)
      : await weightStarts(own, initialization, work);
  return { task: withStart(task, splitValues(starts)) };
}

async function weightStarts(
  adapters: readonly LayerAdapter[],
  initialization: Initialization,
  work: StartWork,
): Promise<Map<LayerAdapter, Start>> {
  const starts = new Map<LayerAdapter, Start>();
  for (const adapter of adapters) {
    await work.progress(starts.size / adapters.length);
    starts.set(adapter, weightStart(adapter, initialization as WeightStart));
  }
  return starts;
}

/** A, B and their frozen copies by the names of the graph. */
function splitValues(starts: ReadonlyMap<LayerAdapter, Start>): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  for (const [adapter, { A, B }] of starts)
    for (const [name, data] of Object.entries({ A, B, A0: A, B0: B }))
      values.set(tensorName(adapter, name), data.slice());
  return values;
}

function withStart(task: Task, start: Map<string, Float32Array>): Task {
  for (const [name, data] of start) if (!data.every(Number.isFinite)) throw notFinite(name);
  return { ...task, start };
}

/** The task with the ranks of its run. */
export function rankedTask(task: Task, ranks: Ranks): Task {
  const { spec, model, layers, graph } = task;
  if (isHeadAlone(spec.adapter)) return task;
  const adapter = withRanks(spec.adapter, ranks);
  const { adapters } = selectAdapters(model.graph, layers, adapter, graph.output);
  return { ...task, spec: { ...spec, adapter }, adapters, graph: { ...graph, adapters } };
}

const notFinite = (name: string): AuroraError =>
  new AuroraError(
    'model',
    `The initial values of ${name} are not finite.`,
    'The weights of the layer, or its inputs on the training data, are damaged or overflow: leave the layer out with adapter.excludeModules.',
  );
