import { join } from 'node:path';
import { say } from '../../console.mjs';
import { takeTurns } from '../cases.mjs';
import { Contestant } from '../contestant.mjs';
import { FOLDER, useLite, writeExperiment } from './prepare.mjs';

/** Training steps that represent an epoch. */
const STEPS = 8;
const WAYS = [
  { way: 'grouped by length (the default)' },
  { way: 'random batches, padded to their longest text', training: { groupByLength: false } },
  {
    way: 'random batches, padded to the longest text of all',
    training: { groupByLength: false },
    padded: true,
  },
];

/** An epoch of the demo's texts in full, in batches of each way; the ways take turns step by step. */
export async function lengths({ threads, rounds }) {
  const path = useLite();
  const sides = WAYS.map(({ way, training, padded }, i) => {
    const experiment = writeExperiment(`lengths-${i}`, { model: { path, maxLength: 512 }, training });
    const args = [experiment, `${threads}`, `${STEPS}`, ...(padded ? ['padded'] : [])];
    return new Contestant(way, process.execPath, [join(FOLDER, 'programs', 'epoch.cjs'), ...args]);
  });
  try {
    for (const side of sides) await side.start();
    say(`Lengths: ${rounds} epochs of ${STEPS} steps …`);
    await takeTurns(sides, 'step', { warmUp: 0, rounds: rounds * STEPS, seconds: Infinity });
    return sides.map(({ name, times, cpuTimes, about }) => ({
      way: name,
      padding: 1 - about.tokens / about.positions,
      // The longest steps are part of each epoch.
      epochs: epochs(times.step),
      cpu: epochs(cpuTimes.step),
    }));
  } finally {
    sides.forEach((side) => side.end());
  }
}

const epochs = (times) =>
  Array.from({ length: times.length / STEPS }, (_, i) =>
    times.slice(i * STEPS, (i + 1) * STEPS).reduce((a, b) => a + b, 0),
  );
