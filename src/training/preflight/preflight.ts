import { parameterCount } from '../../adapters/stored-tensors';
import { join } from 'node:path';
import { matchTargets } from '../../adapters/targets/targets';
import { modelSource } from '../../architectures/model-source';
import type { ReadWatch } from '../../data/stream/build-index';
import type { DeviceRequest } from '../../engine/devices';
import type { Experiment } from '../../experiment/experiment';
import { aboutMethod, isHeadAlone, isRanked } from '../../experiment/methods';
import type { PreflightLine, PreflightModules } from '../../protocol/preflight';
import { requireDrawingSteps } from '../diffusion/schedule';
import { adaptModel, type AdaptedModel } from '../task/adapted-model';
import { taskKind } from '../../tasks/task-registry';
import { loadEvaluationSets } from '../task/evaluation-data';
import { dataLine, packingLine } from './data-lines';
import { dataProblems, memoryProblems, targetProblems } from './preflight-problems';

export interface PreflightOptions {
  /** A folder that the caller removes; temporary graphs go only there. */
  folder: string;
  device: DeviceRequest;
  /** The built program, which measures each device in a separate process. */
  program: string;
  /** Intra-op threads; 0 for one per core. */
  threads: number;
  /** Training steps to measure, 1 or more. */
  steps: number;
  /** Called while a large file is read. */
  watch?: ReadWatch;
  /** Called with each line as soon as it is known, and awaited: the next step blocks this thread. */
  emit: (line: PreflightLine) => Promise<void>;
}

/**
 * Checks everything that a run depends on and trains a few real steps, leaving nothing behind. Fatal errors are thrown;
 * bad rows are reported and skipped, so that everything else is checked too.
 *
 * @returns true if training would stop at a reported problem
 */
export async function preflight(spec: Experiment, options: PreflightOptions): Promise<boolean> {
  const { folder, emit, watch } = options;
  let stops = false;
  const tell = async (lines: readonly PreflightLine[]) => {
    for (const line of lines) {
      stops ||= line.kind === 'problem' && line.severity === 'error';
      await emit(line);
    }
  };
  const source = modelSource(spec.model.path);
  requireDrawingSteps(spec, source);
  const adapted = adaptModel(spec, source);
  const modules = modulesLine(spec, adapted);
  const paths = adapted.layers.map((l) => l.path);
  await tell([modules, ...targetProblems(modules, paths)]);

  const tolerant: Experiment = { ...spec, data: { ...spec.data, onBadRow: 'skip' } };
  const kind = taskKind(spec.task);
  const data = await kind.load(tolerant, adapted.model, undefined, watch);
  const sets = await loadEvaluationSets(tolerant, adapted.model, data, watch);
  const packing = packingLine(kind, data, spec);
  const line = { ...dataLine(kind, data, sets), ...(packing && { packing }) };
  await tell([line, ...dataProblems(spec, data, sets, line)]);

  // Loaded only now: the runtime takes longer to load than everything before it takes to run.
  const [{ makeTask }, { measure }, { standInsFor }] = await Promise.all([
    import('../task/task'),
    import('./measure-steps'),
    import('../diffusion/stand-ins'),
  ]);
  for (const of of [data, ...sets.map((set) => set.data)]) standInsFor(adapted, of);
  const task = await makeTask(tolerant, adapted, data, join(folder, 'probe'));
  const estimate = await measure(
    task,
    sets.map((set) => set.data.validation.dataset),
    options,
  );
  await tell([estimate, ...memoryProblems(estimate.memoryBytes, spec.training)]);
  return stops;
}

function modulesLine(
  spec: Experiment,
  { layers, adapters, leftOut, modelSize }: AdaptedModel,
): PreflightModules {
  const paths = layers.map((l) => l.path);
  const { onEmbedding } = aboutMethod(spec.adapter.method);
  const unmatched =
    isHeadAlone(spec.adapter) || onEmbedding ? [] : matchTargets(paths, spec.adapter).unmatched;
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
