import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolderFor } from '../files/system-temporary';
import type { SweepRecord } from '../runs/sweep/record';
import { trialText } from '../experiment/run-names';
import { AuroraError, errorFrom } from '../base/errors';
import type { Experiment } from '../experiment/experiment';
import { askChild } from '../training/process/child';
import { removedAtEnd } from '../training/process/removed-at-exit';
import type { TrialFault, TrialToCheck } from './check';
import { byCause, rangesText } from './causes';
import { measureTrials } from './memory';
import type { Measured } from './room';

/** Problems that an error lists. */
const MOST_CAUSES = 20;

/** Reading a large data set takes minutes, but never this long. */
const LIMIT_MS = 3_600_000;

export interface CheckOptions {
  /** The experiment of each planned trial, by id. */
  specs: ReadonlyMap<string, Experiment>;
  program: string;
  /** Options for the trials' engine and device. */
  place: readonly string[];
  /** True if trials are trained on this machine, so that their needs here are measured. */
  here: boolean;
  stopped: () => boolean;
}

/**
 * Checks the adapters, data and memory of every trial that is new to the sweep. Runs in separate processes, so that all
 * they have loaded is freed when they exit.
 *
 * @returns the needs of the largest trial; empty if no trial is new
 * @throws AuroraError naming all trials that cannot be trained, with their settings
 */
export async function checkSweep(
  { trials }: SweepRecord,
  { specs, program, place, here, stopped }: CheckOptions,
): Promise<Measured> {
  const fresh = trials.filter((t) => t.planned && t.unchecked);
  if (fresh.length === 0) return {};
  const work = temporaryFolderFor('sweep');
  const remove = removedAtEnd(work);
  const toCheck = fresh.map(({ id, number }): TrialToCheck => ({ number, spec: specs.get(id)! }));
  const file = join(work, 'trials.json');
  writeFileSync(file, JSON.stringify(toCheck));
  const { answer, error, how, printed, ended } = await askChild<{ faults: TrialFault[] }>({
    program,
    args: ['check-trials', file],
    limit: LIMIT_MS,
    stopped,
  });
  if (ended === 'stopped' || stopped()) return {};
  if (error) throw errorFrom(error);
  if (!answer)
    throw new AuroraError(
      'failed',
      `The trials could not be checked (${how})${printed.trim() ? `: ${printed.trim().split('\n').at(-1)}` : ''}.`,
    );
  const whole = toCheck.filter((t) => !answer.faults.some((f) => f.number === t.number));
  const { measured, faults } = here
    ? await measureTrials(program, whole, place, work, stopped)
    : { measured: {}, faults: [] };
  remove();
  if (stopped()) return {};
  const all = [...answer.faults, ...faults].sort((a, b) => a.number - b.number);
  if (all.length > 0) throw faultsError(all, fresh);
  return measured;
}

/** Names each problem once, with the trials that have it. */
function faultsError(faults: readonly TrialFault[], trials: SweepRecord['trials']): AuroraError {
  const kinds = new Set(faults.map((f) => f.kind));
  const [{ kind }] = faults;
  const causes = byCause(faults);
  const [{ message, hint }] = causes;
  if (trials.length === 1) {
    const [{ number, settings }] = trials;
    return new AuroraError(
      kind,
      `Trial ${number} (${trialText(settings)}) cannot be trained: ${message}`,
      hint,
    );
  }
  if (causes.length === 1 && faults.length === trials.length)
    return new AuroraError(kind, `None of the ${trials.length} trials can be trained: ${message}`, hint);
  const lines = causes.slice(0, MOST_CAUSES).map(({ numbers, message }) => {
    const { settings } = trials.find((t) => t.number === numbers[0])!;
    return `  ${numbers.length === 1 ? `trial ${numbers[0]} (${trialText(settings)})` : `trials ${rangesText(numbers)}`}: ${message}`;
  });
  const more = causes.length - MOST_CAUSES;
  if (more > 0) lines.push(`  ${more} more ${more === 1 ? 'problem' : 'problems'}`);
  return new AuroraError(
    kinds.size === 1 ? kind : 'experiment',
    `${faults.length} of ${trials.length} trials cannot be trained; none has been started.\n${lines.join('\n')}`,
    new Set(causes.map((c) => c.hint)).size === 1
      ? hint
      : 'Correct the settings or the "sweep" section, and run it again.',
  );
}
