import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, say } from '../../console.mjs';
import { childrenSeconds } from '../../machine.mjs';
import { isDone, ROOT } from '../../run.mjs';
import { AURORA, encoder, FOLDER, someRows, writeExperiment } from './prepare.mjs';

const RATES = [1e-3, 1.5e-3, 2e-3, 3e-3, 4e-3, 6e-3, 8e-3, 1e-2];
const SEEDS = [1, 2, 3];
const BATCH = 16;
/** Fewer rows lack labels that the validation data has. */
const LEAST_ROWS = 256;

/**
 * A sweep of 24 trials on the top third of six layers, and the same trials as separate runs, half of them before it. Both with
 * everything at its default: the sweep chooses how many trials run at a time.
 */
export function sweep({ steps }) {
  const path = encoder('6x384');
  const base = {
    model: { path, maxLength: 48 },
    data: {
      train: someRows('train', Math.max(LEAST_ROWS, BATCH * steps)),
      validation: someRows('validation', 128),
    },
    adapter: { layersToTransform: [4, 5] },
    training: { batchSize: BATCH, maxSteps: steps },
  };
  const whole = writeExperiment('sweep', {
    ...base,
    sweep: { type: 'grid', parameters: { 'training.learningRate': RATES, 'training.seed': SEEDS } },
  });
  const runs = RATES.flatMap((learningRate) =>
    SEEDS.map((seed) =>
      writeExperiment(`sweep-${learningRate}-${seed}`, {
        ...base,
        training: { ...base.training, learningRate, seed },
      }),
    ),
  );
  rmSync(join(FOLDER, '.aurora'), { recursive: true, force: true });
  const middle = runs.length / 2;
  const before = each(runs.slice(0, middle));
  say(`A sweep of ${runs.length} trials …`);
  const together = measured(['sweep', whole, '--device', 'cpu', '--json']);
  const room = roomOfSweep();
  const after = each(runs.slice(middle));
  const apart = { seconds: before.seconds + after.seconds, cpu: before.cpu + after.cpu };
  return { trials: runs.length, steps, apart, together, room };
}

function each(experiments) {
  say(`${experiments.length} separate runs …`);
  const all = experiments.map((experiment) => measured(['train', experiment, '--device', 'cpu']));
  const sum = (key) => all.reduce((total, one) => total + one[key], 0);
  return { seconds: sum('seconds'), cpu: sum('cpu') };
}

function measured(args) {
  const [began, cpu] = [performance.now(), childrenSeconds()];
  const { status, stderr } = spawnSync(process.execPath, [AURORA, ...args], { cwd: ROOT, encoding: 'utf8' });
  if (!isDone(status)) throw new Failure(`aurora ${args.join(' ')} failed:\n${stderr}`);
  return { seconds: (performance.now() - began) / 1000, cpu: childrenSeconds() - cpu };
}

/** The number of trials that the sweep ran at a time, and their threads. */
function roomOfSweep() {
  const sweeps = join(FOLDER, '.aurora', 'sweeps', 'sweep');
  const [own] = readdirSync(sweeps);
  return JSON.parse(readFileSync(join(sweeps, own, 'sweep.json'), 'utf8')).room;
}
