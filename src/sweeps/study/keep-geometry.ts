import { join } from 'node:path';
import { layerChange } from '../../adapters/merge';
import { methodOf } from '../../adapters/methods/registry';
import { withRanks } from '../../adapters/starts/allotted-ranks';
import {
  type Dense,
  denseProduct,
  denseSingularValues,
  innerProduct,
  type LowRank,
  mergedPair,
  principalPlane,
  singularValues,
} from '../../adapters/update-geometry';
import { aboutMethod, type AdapterSpec, isHeadAlone, type WithAlpha } from '../../experiment/methods';
import { writeAtomic } from '../../files/atomic';
import { ranksIn } from '../../protocol/ranks';
import { runPaths, stepName } from '../../runs/layout';
import { adapterSum, geometryFile } from '../../runs/run-in-study';
import type { RunSummary } from '../../runs/run-summary';
import { effectiveRank, type Geometry, hasGeometry } from '../../study/geometry';
import { checkpointSteps, readCheckpoint } from '../../training/checkpoint/checkpoint-store';
import { adaptModel } from '../../training/task/adapted-model';
import { initialAdapters } from '../../training/task/initialize';

/** ΔW of every module at one step. */
type Snapshot<T> = readonly T[];
type Parameters = ReadonlyMap<string, Float32Array>;

/** Most dense ΔW values held at once: 1 GiB. */
const MOST_NUMBERS = 2 ** 28;
/** Singular values kept of a dense ΔW; its effective rank covers the rest. */
const MOST_VALUES = 32;

/**
 * Computes the geometry of ΔW from a run's kept checkpoints (at most about twenty, spread over it) and stores it in the
 * run. If ΔW is a product of thin matrices, only the adapters are needed; otherwise the model's weights are read, too,
 * and fewer checkpoints if not all fit. Undefined if the method changes no weights.
 */
export async function keepGeometry(run: RunSummary, step: number): Promise<Geometry | undefined> {
  const adapter = adapterOf(run);
  const started = run.events.find((e) => e.kind === 'started');
  const steps = checkpointSteps(run.folder).filter((s) => s <= step);
  if (!started || !hasGeometry(adapter) || steps.length === 0) return undefined;
  const read = (at: number) =>
    readCheckpoint(join(runPaths(run.folder).checkpoints, stepName(at))).parameters;
  const { modules } = started;
  const found = isLowRank(adapter) ? lowRank(adapter, modules, steps, read) : dense(run, steps, read);
  if (!found) return undefined;
  const from: Geometry['from'] = [];
  for (const at of found.steps) from.push({ step: at, sha256: (await adapterSum(run.folder, at))! });
  const geometry = {
    version: 1 as const,
    from,
    ...pathOf(found.steps, found.products),
    modules: modules.map((path, m) => ({ path, ...found.spectrum(m) })),
  };
  writeAtomic(geometryFile(run.folder), `${JSON.stringify(geometry)}\n`, run.folder);
  return geometry;
}

/** The settings of a run's adapter, with the ranks that its data gave the layers. */
function adapterOf({ spec: { adapter }, events }: RunSummary): AdapterSpec {
  const ranks = ranksIn(events);
  return ranks && !isHeadAlone(adapter) ? withRanks(adapter, ranks) : adapter;
}

/** True if the merged change is alpha's scale times a product B A of the layer's own rank. */
const isLowRank = (adapter: AdapterSpec): adapter is WithAlpha => {
  if (isHeadAlone(adapter)) return false;
  const { hasAlpha, hasB } = aboutMethod(adapter.method);
  return hasAlpha === true && hasB === true && methodOf(adapter).lowRank !== undefined;
};

interface Found {
  steps: number[];
  /** ⟨ΔW, ΔW′⟩ of step 0 and these steps, over all modules. */
  products: number[][];
  /** For a module at the last step. */
  spectrum(module: number): Omit<Geometry['modules'][number], 'path'>;
}

function lowRank(
  adapter: WithAlpha,
  modules: readonly string[],
  steps: number[],
  read: (step: number) => Parameters,
): Found {
  // Names do not depend on sizes.
  const layer = { inFeatures: 1, outFeatures: 1 };
  const names = methodOf(adapter).tensors({ layer, spec: adapter, widest: layer });
  const snapshots = steps.map((step) => {
    const parameters = read(step);
    const of = (path: string) =>
      Object.fromEntries(names.map(({ name }) => [name, parameters.get(`${path}.${name}`)!]));
    return modules.map((path) => mergedPair(path, adapter, of(path)));
  });
  const last = snapshots.at(-1)!;
  // B starts at zero, or B·A at what is subtracted, and so does ΔW.
  const zeros = new Array<number>(steps.length + 1).fill(0);
  return {
    steps,
    products: [zeros, ...products<LowRank>(snapshots, innerProduct).map((row) => [0, ...row])],
    spectrum: (m) => ({ values: singularValues(last[m]) }),
  };
}

function dense(run: RunSummary, all: number[], read: (step: number) => Parameters): Found | undefined {
  const adapted = adaptModel({ ...run.spec, adapter: adapterOf(run) });
  // Modules and tokens beside the method's own are not listed in the run's modules.
  const adapters = adapted.adapters.filter((a) => !a.beside);
  const numbers = adapters.reduce((n, { layer }) => n + layer.inFeatures * layer.outFeatures, 0);
  const steps = spread(all, Math.floor(MOST_NUMBERS / numbers) - 1);
  if (steps.length === 0) return undefined;
  const snapshotOf = (parameters: Parameters): Snapshot<Dense> =>
    adapters.map((adapter) => {
      const { weight } = layerChange(adapter, parameters);
      return { weight: Float32Array.from(weight!), outFeatures: adapter.layer.outFeatures };
    });
  // FourierFT starts with a nonzero change.
  const first = initialAdapters(adapters, run.spec.training.seed);
  const snapshots = [snapshotOf(first), ...steps.map((step) => snapshotOf(read(step)))];
  const last = snapshots.at(-1)!;
  return {
    steps,
    products: products<Dense>(snapshots, denseProduct),
    spectrum(m) {
      const values = denseSingularValues(last[m]);
      const { length: directions } = values;
      return { values: values.slice(0, MOST_VALUES), directions, effectiveRank: effectiveRank(values) };
    },
  };
}

/** At most this many, evenly spread, including the last. */
function spread(steps: readonly number[], most: number): number[] {
  const count = Math.max(0, Math.min(most, steps.length));
  return Array.from({ length: count }, (_, i) => steps[Math.ceil(((i + 1) * steps.length) / count) - 1]);
}

function products<T>(snapshots: readonly Snapshot<T>[], product: (a: T, b: T) => number): number[][] {
  return snapshots.map((x) => snapshots.map((y) => x.reduce((sum, p, m) => sum + product(p, y[m]), 0)));
}

function pathOf(steps: readonly number[], products: readonly number[][]): Pick<Geometry, 'path' | 'shares'> {
  const { points, shares } = principalPlane(products);
  return { path: points.map((p, i) => ({ step: i === 0 ? 0 : steps[i - 1], ...p })), shares };
}
