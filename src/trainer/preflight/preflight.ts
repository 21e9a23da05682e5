import { join } from 'node:path';
import { parameterCount } from '../../adapters/targets/select';
import { matchTargets } from '../../adapters/targets/targets';
import type { DeviceRequest } from '../../engine/devices/request';
import { isRanked, type Experiment } from '../../experiment/experiment';
import { isHeadAlone } from '../../experiment/methods';
import type { PreflightLine, PreflightModules } from '../../protocol/preflight';
import { adaptModel, type AdaptedModel } from '../task/adapted-model';
import { taskKind } from '../../tasks/registry';
import { dataLine } from './data-line';
import { dataProblems, memoryProblems, targetProblems } from './problems';

export interface PreflightOptions {
  /** A folder that the caller removes; temporary graphs go there and nowhere else. */
  folder: string;
  device: DeviceRequest;
  /** The built program, which measures each device in a process of its own. */
  program: string;
  /** Intra-op threads; 0 for one a core. */
  threads: number;
  /** Training steps to measure, 1 or more. */
  steps: number;
  /** Told each line as soon as it is known, and waited for: what follows blocks this thread. */
  emit: (line: PreflightLine) => Promise<void>;
}

/**
 * Looks at all that a run depends on and trains a few real steps, leaving nothing behind. What would stop
 * training outright is thrown; bad rows are told and passed over, so that all else is seen too.
 *
 * @returns whether training would stop at what was told
 */
export async function preflight(spec: Experiment, options: PreflightOptions): Promise<boolean> {
  const { folder, emit } = options;
  let stops = false;
  const tell = async (lines: readonly PreflightLine[]) => {
    for (const line of lines) {
      stops ||= line.kind === 'problem' && line.severity === 'error';
      await emit(line);
    }
  };
  const adapted = adaptModel(spec);
  const modules = modulesLine(spec, adapted);
  const paths = adapted.layers.map((l) => l.path);
  await tell([modules, ...targetProblems(modules, paths)]);

  const tolerant: Experiment = { ...spec, data: { ...spec.data, onBadRow: 'skip' } };
  const data = taskKind(spec.task.type).load(tolerant, adapted.model);
  const line = dataLine(data);
  await tell([line, ...dataProblems(spec, data, line)]);

  // Only now: the runtime takes longer to load than all before it takes to run.
  const [{ makeTask }, { measure }] = await Promise.all([import('../task/task'), import('./measure')]);
  const task = await makeTask(tolerant, adapted, data, join(folder, 'probe'));
  const estimate = await measure(task, options);
  await tell([estimate, ...memoryProblems(estimate.memoryBytes)]);
  return stops;
}

function modulesLine(
  spec: Experiment,
  { layers, adapters, leftOut, modelSize }: AdaptedModel,
): PreflightModules {
  const paths = layers.map((l) => l.path);
  const unmatched = isHeadAlone(spec.adapter) ? [] : matchTargets(paths, spec.adapter).unmatched;
  return {
    kind: 'modules',
    method: spec.adapter.method,
    modules: adapters.map((adapter) => ({
      path: adapter.layer.path,
      inFeatures: adapter.layer.inFeatures,
      outFeatures: adapter.layer.outFeatures,
      ...(isRanked(adapter.spec) && { rank: adapter.spec.rank }),
      parameters: parameterCount([adapter]),
    })),
    unmatched,
    leftOut,
    linearLayers: layers.length,
    adapterParameters: parameterCount(adapters),
    modelParameters: modelSize,
  };
}
