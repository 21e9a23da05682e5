import type { Sweep } from '../runs/experiment/sweep-trials';
import { readSweep, SWEEP_VERSION, type SweepRecord, type TrialRecord } from '../runs/sweep/record';

/**
 * The current record for a sweep's folder; nothing is written yet. In a sweep that has already started, trials keep
 * their numbers and runs; new ones come after them.
 */
export function prepareSweep(folder: string, sweep: Sweep, overrides: readonly string[]): SweepRecord {
  const known = readSweep(folder);
  return {
    version: SWEEP_VERSION,
    begun: known?.begun ?? Date.now(),
    name: sweep.base.name,
    overrides: [...overrides],
    spec: sweep.spec,
    metric: sweep.spec.metric ?? sweep.base.training.metric,
    baseHash: sweep.baseHash,
    varied: [...new Set(sweep.trials.flatMap((t) => Object.keys(t.settings)))],
    ...(known?.on && { on: known.on }),
    room: known?.room,
    inputs: known?.inputs,
    acceptedInputs: known?.acceptedInputs,
    trials: merged(known?.trials ?? [], sweep),
  };
}

function merged(before: readonly TrialRecord[], { trials }: Sweep): TrialRecord[] {
  const wanted = new Set(trials.map((t) => t.id));
  const kept = before
    .filter((t) => !t.unchecked && (t.run !== undefined || wanted.has(t.id)))
    .map((t) => ({ ...t, planned: wanted.has(t.id) }));
  const known = new Set(kept.map((t) => t.id));
  const first = 1 + Math.max(0, ...kept.map((t) => t.number));
  return [
    ...kept,
    ...trials
      .filter((t) => !known.has(t.id))
      .map(({ id, settings }, i) => ({
        id,
        number: first + i,
        settings,
        planned: true,
        unchecked: true as const,
      })),
  ];
}
