import { readFileSync } from 'node:fs';
import { alarmsIn, type RecordedRun } from '../test/unit/training/alarms/recorded';

/** Repetitions, of which the fastest counts: others have been disturbed. */
const ROUNDS = 20;

/**
 * The cost of the alarms in a step: replays the curves of the studies, and prints microseconds. Usage: alarm-watch
 * FIXTURE
 */
function main(file: string): void {
  const runs = JSON.parse(readFileSync(file, 'utf8')) as RecordedRun[];
  const steps = runs.reduce((sum, run) => sum + run.loss.length, 0);
  const times = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    for (const run of runs) alarmsIn(run);
    return performance.now() - began;
  });
  process.stdout.write(`${((1000 * Math.min(...times)) / steps).toFixed(1)} µs a step, of ${steps} steps\n`);
}

main(process.argv[2]);
