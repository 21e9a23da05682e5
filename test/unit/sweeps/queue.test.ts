import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { LocalExecutor } from '../../../src/executors/local/local-executor';
import { ownerFile } from '../../../src/files/fence';
import { Journal } from '../../../src/runs/journal/journal';
import { runPaths } from '../../../src/runs/layout';
import { readStatus, writeStatus } from '../../../src/runs/status';
import type { SweepRecord, SweepRoom } from '../../../src/runs/sweep/record';
import { TrialNames } from '../../../src/runs/sweep/trial-names';
import type { NewEvent, RunState } from '../../../src/protocol/events';
import { newStatus } from '../../../src/training/process/pulse';
import { runQueue } from '../../../src/sweeps/sweep-queue';
import { evaluationsOf } from './evaluations';
import { scratchFolder } from '../../scratch';
import { specText } from '../specs';
import { TrialLooker } from '../../../src/runs/sweep/look';

const home = scratchFolder('queue');
const pulseWorker = join(home, 'pulse-worker.cjs');
beforeAll(() =>
  build({
    ...({ bundle: true, platform: 'node', format: 'cjs', outfile: pulseWorker } as const),
    entryPoints: [resolve(import.meta.dirname, '../../../src/training/process/pulse-worker.ts')],
  }),
);

/** A trial's run in a state that cannot be claimed, with these accuracies. */
function makeRun(name: string, state: RunState, accuracies: number[], ...events: NewEvent[]): string {
  const run = join(home, 'runs', name);
  mkdirSync(run, { recursive: true });
  writeFileSync(runPaths(run).spec, specText('tiny'));
  const journal = Journal.open(runPaths(run).events);
  for (const event of [...evaluationsOf(accuracies), ...events]) journal.append(event);
  journal.close();
  writeStatus(run, { ...newStatus(state), step: 10 * accuracies.length });
  mkdirSync(ownerFile(run));
  return run;
}

const record: SweepRecord & { room: SweepRoom } = {
  ...{ version: 1, begun: 0, name: 'tiny', overrides: [], metric: 'accuracy', baseHash: 'x' },
  spec: { type: 'grid', seed: 1, pruning: { eta: 2, minSteps: 10 } },
  varied: ['adapter.rank'],
  room: { parallel: 1, threads: 1, engine: 'onnxruntime', device: 'cpu' },
  trials: [1, 2].map((rank) => ({
    ...{ id: `r${rank}`, number: rank, run: `r${rank}`, planned: true },
    settings: { 'adapter.rank': rank },
  })),
};

describe('a sweep', () => {
  it('finishes if the disk rejects what it writes into its trials', async () => {
    const best = makeRun('r1', 'running', [0.5, 0.9]);
    // A trainer that was killed after it had written its result.
    writeStatus(best, { ...readStatus(best)!, pid: 0 });
    const result = { outcome: 'finished', steps: 20, seconds: 1, best: { step: 20 }, last: {} };
    writeFileSync(runPaths(best).result, JSON.stringify(result));
    const lost = makeRun('r2', 'stopped', [0.1], { kind: 'stopped', step: 10, reason: 'rung' });
    const folder = join(home, 'sweep');
    mkdirSync(folder);
    const outcome = await runQueue({
      names: new TrialNames(join(home, 'runs')),
      ...{ folder, pulseWorker, specs: new Map(), retryFailed: false, acceptInputs: false },
      executor: ({ room }, save) =>
        new LocalExecutor(
          {
            ...{ folder, runs: join(home, 'runs'), specs: new Map(), looker: new TrialLooker() },
            ...{ room, save, fallBack: false, acceptInputs: false, inputs: () => Promise.resolve([]) },
          },
          { program: join(home, 'none.cjs'), available: () => undefined, takenOver: () => false },
        ),
      prepare: () => Promise.resolve(record),
      interrupted: () => false,
      refused: () => undefined,
      looked: () => undefined,
    });
    expect(outcome.stopped).toBeUndefined();
    expect(outcome.trials.map((t) => t.state)).toEqual(['finished', 'stopped']);
    expect(outcome.verdicts.get('r2')).toEqual({ kind: 'prune' });
    expect(readStatus(folder)).toMatchObject({ state: 'finished', step: 2 });
    expect([readStatus(best)!.state, readStatus(lost)!.state]).toEqual(['running', 'stopped']);
  });
});
