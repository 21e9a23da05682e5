import { join } from 'node:path';
import { innerProduct, mergedPair, singularValues, type LowRank } from '../../adapters/geometry/low-rank';
import { principalPlane } from '../../adapters/geometry/principal';
import { writeAtomic } from '../../graph/files';
import { runPaths, stepName } from '../../runs/layout';
import type { RunSummary } from '../../runs/read';
import { adapterSum, geometryFile } from '../../runs/study/kept';
import type { Geometry } from '../../shared/study/geometry';
import { checkpointSteps, readCheckpoint } from '../checkpoint-store';

/**
 * Computes what a run's kept checkpoints (at most about twenty, spread over it) say of ΔW, and keeps it in the run:
 * adapters are all that is needed, no model. Undefined where its method has no low-rank ΔW.
 */
export async function keepGeometry(run: RunSummary, step: number): Promise<Geometry | undefined> {
  const { adapter } = run.spec;
  const started = run.events.find((e) => e.kind === 'started');
  if (!started || !('alpha' in adapter) || adapter.method === 'dora') return undefined;
  const steps = checkpointSteps(run.folder).filter((s) => s <= step);
  const from: Geometry['from'] = [];
  const snapshots: LowRank[][] = [];
  for (const at of steps) {
    const { parameters } = readCheckpoint(join(runPaths(run.folder).checkpoints, stepName(at)));
    const of = (path: string) =>
      Object.fromEntries(['A', 'B', 'H', 'W', 'M'].map((name) => [name, parameters.get(`${path}.${name}`)!]));
    snapshots.push(started.modules.map((path) => mergedPair(path, adapter, of(path))));
    from.push({ step: at, sha256: (await adapterSum(run.folder, at))! });
  }
  const geometry = geometryOf(from, snapshots, started.modules);
  if (geometry) writeAtomic(geometryFile(run.folder), `${JSON.stringify(geometry)}\n`);
  return geometry;
}

function geometryOf(
  from: Geometry['from'],
  snapshots: readonly (readonly LowRank[])[],
  modules: readonly string[],
): Geometry | undefined {
  const last = snapshots.at(-1);
  if (!last) return undefined;
  // Before the first step B is zero, and so is ΔW.
  const products = [
    new Array<number>(snapshots.length + 1).fill(0),
    ...snapshots.map((x) => [
      0,
      ...snapshots.map((y) => x.reduce((sum, p, m) => sum + innerProduct(p, y[m]), 0)),
    ]),
  ];
  const { points, shares } = principalPlane(products);
  const steps = [0, ...from.map((f) => f.step)];
  return {
    version: 1,
    from,
    path: points.map((p, i) => ({ step: steps[i], ...p })),
    shares,
    modules: modules.map((path, m) => ({ path, values: singularValues(last[m]) })),
  };
}
