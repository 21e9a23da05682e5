import { append } from '../base/gathered';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, type ErrorKind } from '../base/errors';
import type { TrialFault, TrialToCheck } from './check';
import { measureTrial, tokensAtOnce, type Measured } from './room';

/** Preflight errors that mean a trial of this size cannot be trained, whatever its data. */
const FATAL: readonly ErrorKind[] = ['model', 'operator', 'targets', 'rank', 'data', 'vocabulary', 'memory'];

/**
 * Measures a step of the trials that take the most memory: among those that share a model and the computation of a
 * step, the one with the most tokens at once and, if that one cannot be trained, the next.
 *
 * @param folder for the measured experiments
 * @param stopped polled: true to end now
 * @returns the needs of the largest trainable trial, and the trials that cannot be trained
 */
export async function measureTrials(
  program: string,
  trials: readonly TrialToCheck[],
  place: readonly string[],
  folder: string,
  stopped: () => boolean,
): Promise<{ measured: Measured; faults: TrialFault[] }> {
  const faults: TrialFault[] = [];
  let measured: Measured = {};
  for (const group of groups(trials))
    for (const { number, spec } of group) {
      if (stopped()) return { measured, faults };
      const file = join(folder, `trial-${number}.aurora.json`);
      writeFileSync(file, JSON.stringify(spec));
      const { code, problem, ...found } = await measureTrial(program, file, place, stopped);
      const kind = FATAL.find((k) => EXIT[k] === code);
      if (kind && problem) {
        faults.push({ number, kind, ...problem });
        continue;
      }
      if ((found.memory ?? 0) >= (measured.memory ?? 0)) measured = { ...measured, ...found };
      break;
    }
  return { measured, faults };
}

/** Each from the largest to the smallest. */
function groups(trials: readonly TrialToCheck[]): TrialToCheck[][] {
  const found = new Map<string, TrialToCheck[]>();
  for (const trial of trials) {
    const { model, training } = trial.spec;
    const key = JSON.stringify([
      model.path,
      model.output,
      training.gradientCheckpointing,
      training.precision,
    ]);
    append(found, key, trial);
  }
  return [...found.values()].map((group) =>
    group.toSorted((a, b) => tokensAtOnce(b.spec) - tokensAtOnce(a.spec)),
  );
}
