import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTrained } from '../src/training/checkpoint/trained-run';
import { fitOf } from '../src/training/fit/fit-run';
import { fittedTask } from '../src/training/fit/fitted-task';
import { measureTask } from '../src/training/measure';

/**
 * Prints, as a line of JSON, a run's metrics on its validation data with σ replaced by fits without biases, whatever the layers
 * have: an export writes that form only where a format has no place for one. Usage: plain-fit RUN
 */
async function main(run: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'plain-fit-'));
  try {
    const trained = await openTrained(run, 'last', work);
    const fit = await fitOf(run, trained.step);
    const { task, parameters } = fittedTask(trained.task, trained.parameters, fit, { biasOf: () => false });
    const { metrics } = await measureTask(task, parameters, join(work, 'plain'));
    process.stdout.write(`${JSON.stringify(metrics)}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

void main(process.argv[2]);
