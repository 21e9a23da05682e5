import { rmSync } from 'node:fs';
import { requireOwned } from '../../files/fence';
import { runPaths } from '../../runs/layout';
import { outcomeOf } from '../../runs/outcome';
import { readRunSummary } from '../../runs/run-summary';
import { checkpointsHint } from '../../runs/sweep/checkpoints-hint';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { type Checkpoint, specHash } from './checkpoint';
import { latestCheckpoint, putBackReplaced } from './checkpoint-store';
import type { Outputs } from '../../protocol/outputs';
import { type Ranks, ranksIn } from '../../protocol/ranks';
import type { Environment } from '../process/environment';

/** The state from which a resumed run continues. */
export interface Restored {
  /** Undefined if the run died before its first checkpoint: it starts over with the same seed. */
  checkpoint: Checkpoint | undefined;
  /** The meaning of its outputs, as recorded by the run; undefined if it died before recording it. */
  known: Outputs | undefined;
  /** The ranks that the data gave its layers, by path. */
  ranks: Ranks | undefined;
  /** True if the journal has its `started` line. */
  started: boolean;
  seconds: number;
  examples: number;
  /** The environment that the checkpoint was created in. */
  environment: Environment | undefined;
}

/** @throws AuroraError 'run' if the run is finished, still alive, or was started with another spec */
export function restore(run: string, spec: Experiment, warn: (message: string) => void): Restored {
  putBackReplaced(run);
  const found = latestCheckpoint(run, warn);
  const summary = readRunSummary(run);
  const started = summary.events.find((e) => e.kind === 'started');
  const state = found?.checkpoint.state;
  if (state && state.specHash !== specHash(spec))
    throw new AuroraError(
      'run',
      `The checkpoint ${found.path} does not belong to the experiment in ${run}/spec.json.`,
      'Start a new run: spec.json must not be changed after a run has started.',
    );
  // Required for a diverged run, which is no longer at its end.
  requireOwned(runPaths(run).result);
  rmSync(runPaths(run).result, { force: true });
  return {
    checkpoint: found?.checkpoint,
    known: started,
    ranks: ranksIn(summary.events),
    started: started !== undefined,
    seconds: state?.secondsSpent ?? 0,
    examples: state?.examplesSeen ?? 0,
    environment: state?.environment,
  };
}

/** Refuses to resume a run that does not need it. */
export function requireResumable(run: string): Experiment {
  const summary = readRunSummary(run);
  const { spec } = summary;
  if (outcomeOf(summary) === 'finished')
    throw new AuroraError(
      'run',
      `${run} has finished.`,
      'Start a new run, or export this one with `aurora export`.',
    );
  const hint = checkpointsHint(run);
  if (hint !== undefined)
    throw new AuroraError(
      'run',
      `${run} has no checkpoints here, and would start over.`,
      `A trial of a cluster is continued there, by its sweep. ${hint}`,
    );
  return spec;
}
