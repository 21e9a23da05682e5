import { identifyData } from '../../files/identify-data';
import { changedInputs, filesFrom, readInputs } from '../../runs/inputs';
import { readRunSummary } from '../../runs/run-summary';
import { HEARTBEAT_MS } from '../../runs/status';
import { AuroraError } from '../../base/errors';
import type { InputChange, RunStatus } from '../../protocol/events';
import { changeWords } from '../../protocol/inputs-words';
import { latestCheckpoint } from '../checkpoint/checkpoint-store';

/**
 * Compares the current files with those that a run was trained on, before any of them or the run is touched.
 *
 * @param step the step from which training continues; by default the newest checkpoint that can be resumed from
 * @param accept true to accept changed files
 * @returns those that have changed
 * @throws AuroraError 'inputs' if any changed and are not accepted
 */
export async function requireSameInputs(
  run: string,
  accept: boolean,
  step = latestCheckpoint(run, () => undefined)?.checkpoint.state.step ?? 0,
): Promise<InputChange[]> {
  const record = readInputs(run);
  const files = record && filesFrom(record, step);
  // Runs made before inputs were recorded.
  if (!files) return [];
  const changes = await changedInputs(files);
  if (changes.length === 0 || accept) return changes;
  const { status } = readRunSummary(run);
  const words = changes.map((c) => `${changeWords(c)}${duringTraining(c, status)}.`);
  throw new AuroraError(
    'inputs',
    `${run} was trained on files that have changed since. ${words.join(' ')}`,
    'Put the files back as they were. To continue with the files as they are now, add --accept-changed-inputs; the journal then records that.',
  );
}

/** A trainer reading a truncated model is killed by the system and leaves no message. */
function duringTraining({ path, after }: InputChange, status: RunStatus | undefined): string {
  const written = after === null ? undefined : identifyData(path)?.mtimeNs;
  if (!status || written === undefined) return '';
  const at = Number(written) / 1e6;
  const end = status.heartbeat + (status.state === 'running' ? 2 * HEARTBEAT_MS : 0);
  return at >= status.startedAt && at <= end ? ' while the run was training' : '';
}
