import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { owning } from '../../../../src/cli/owning';
import type { DeviceRequest } from '../../../../src/engine/devices';
import { CPU } from '../../../../src/engine/place';
import { AuroraError } from '../../../../src/base/errors';
import type { Alarm } from '../../../../src/protocol/alarms';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { createRun, runPaths } from '../../../../src/runs/layout';
import type { TrainListener } from '../../../../src/training/run/open-run';
import { train } from '../../../../src/training/run/train';

const cpu: DeviceRequest = { ...CPU, fallBack: false, given: { engine: true, device: true } };

interface Options {
  /** Changed settings, KEY=VALUE. */
  set?: readonly string[];
  threads?: number;
  listener?: Partial<TrainListener>;
}

/** Trains an experiment to its end, or until it diverges, in this process. */
export async function trainHere(
  file: string,
  runs: string,
  { set = [], threads = 1, listener: own = {} }: Options = {},
): Promise<{ run: string; shown: Alarm[] }> {
  const spec = loadExperiment(file, set);
  const run = createRun(runs);
  writeFileSync(runPaths(run).spec, JSON.stringify(spec));
  const programs = {
    pulseWorker: resolve('dist/pulse-worker.cjs'),
    hashWorker: resolve('dist/hash-worker.cjs'),
    program: resolve('dist/cli.cjs'),
  };
  const shown: Alarm[] = [];
  const all: Partial<TrainListener> = { alarm: (alarm) => shown.push(alarm), ...own };
  const listener = new Proxy(all as TrainListener, {
    get: (found, name: keyof TrainListener) => found[name] ?? (() => {}),
  });
  const options = { spec, run, resume: false, device: cpu, threads, lease: false, pauseAt: undefined };
  try {
    await owning({ folder: run, what: 'run', takeOver: false }, () =>
      train({ ...options, ...programs, listener, interrupted: () => undefined }),
    );
  } catch (e) {
    if (!(e instanceof AuroraError) || e.kind !== 'diverged') throw e;
  }
  return { run, shown };
}
