import { cordaStart, InputCovariance } from '../../adapters/starts/corda-start';
import { startingLayer } from '../../adapters/starts/layer-start';
import type { Start } from '../../adapters/starts/weight-starts';
import type { LayerAdapter } from '../../adapters/targets/select';
import { AuroraError } from '../../base/errors';
import type { StartingSpec } from '../../experiment/methods';
import type { Task } from '../task/task';
import { InputGraph, type InputGroup, inputGroups } from './input-graph';
import { StartRows } from './start-rows';
import type { StartWork } from './start-work';

/** Bytes of covariances at once; the model reads the rows again for further groups. */
const MOST_BYTES = 2 ** 30;
/** As in PEFT's examples. */
const SAMPLES = 256;

/**
 * CorDA's A and B of each layer, from the covariances of the layers' inputs over training rows, which the model reads one at a
 * time, as PEFT's does.
 *
 * @throws AuroraError 'model' if the inputs of a layer are not finite, or have no value above zero
 */
export async function cordaStarts(
  task: Task,
  adapters: readonly LayerAdapter[],
  work: StartWork,
): Promise<Map<LayerAdapter, Start>> {
  const { cordaMethod = 'ipm', cordaSamples = SAMPLES } = task.spec.adapter as StartingSpec;
  const rows = new StartRows(task);
  const samples = Math.min(cordaSamples, rows.length);
  const parts = inParts(inputGroups(adapters));
  const whole = parts.length * samples + adapters.length;
  let done = 0;
  const starts = new Map<LayerAdapter, Start>();
  for (const groups of parts) {
    rows.restart();
    const covariances = await covariancesOf(task, groups, rows, samples, work, () =>
      work.progress(done++ / whole),
    );
    for (const [group, covariance] of covariances) {
      if (!covariance.isUsable) throw notUsable(group);
      const C = covariance.damped();
      for (const adapter of group.layers) {
        await work.progress(done++ / whole);
        starts.set(adapter, cordaStart(startingLayer(adapter), C, cordaMethod));
      }
      covariances.delete(group);
    }
  }
  return starts;
}

async function covariancesOf(
  task: Task,
  groups: readonly InputGroup[],
  rows: StartRows,
  samples: number,
  work: StartWork,
  progress: () => Promise<void>,
): Promise<Map<InputGroup, InputCovariance>> {
  const { dataset } = task.data.train;
  const graph = await InputGraph.open(task, groups, 'products', work);
  try {
    const covariances = new Map(groups.map((group) => [group, new InputCovariance(group.width)]));
    for (let n = 0; n < samples; n++) {
      await progress();
      const { indices, pass } = rows.take(1);
      const feeds = await task.feeds(dataset, indices, undefined, pass);
      for (const [group, calls] of await graph.read(feeds, groups))
        for (const { values, largest } of calls)
          covariances.get(group)!.add(values.data as Float32Array, largest!);
    }
    return covariances;
  } finally {
    await graph.dispose();
  }
}

/** Groups whose covariances, and the products of a row, fit into memory together. */
function inParts(groups: readonly InputGroup[]): InputGroup[][] {
  const parts: InputGroup[][] = [];
  let bytes = Infinity;
  for (const group of groups) {
    const own = group.width ** 2 * (8 + 4 * group.inputs.length);
    if (bytes + own > MOST_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(group);
    bytes += own;
  }
  return parts;
}

const notUsable = ({ layers }: InputGroup): AuroraError =>
  new AuroraError(
    'model',
    `adapter.initialization is "corda", but the inputs of ${layers[0]!.layer.path} on the training data are not finite, or never above zero.`,
    'Leave the layer out with adapter.excludeModules, or choose another adapter.initialization.',
  );
