import { resolve } from 'node:path';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { filesBehind, readInputs } from '../../runs/inputs';
import type { LinearSource } from './linear-source';

/**
 * Requires that the runs were trained on the experiment's model, for its task. Models are compared by the recorded
 * SHA-256 of their files, or by their paths where these are not recorded.
 *
 * @param of the experiment, or the run that it is of
 * @throws AuroraError 'adapter' naming the first run that differs
 */
export function requireSameModel(sources: readonly LinearSource[], experiment: Experiment, of: string): void {
  const isAt = ({ spec }: { spec: Experiment }) =>
    resolve(spec.model.path) === resolve(experiment.model.path);
  const there = sources.find(({ run }) => run && isAt(run))?.run;
  const wanted = there && modelSums(there);
  for (const { given, run } of sources) {
    if (!run) continue;
    const { spec } = run;
    if (!isAt(run) && (wanted === undefined || modelSums(run) !== wanted))
      throw new AuroraError(
        'adapter',
        `${given} was trained on ${spec.model.path}, and ${of} on ${experiment.model.path}.`,
        'Combine adapters of one model. If these are copies of the same model, import the exported adapter into an experiment with the other copy.',
      );
    if (spec.task.type !== experiment.task.type)
      throw new AuroraError(
        'adapter',
        `${given} was trained for ${spec.task.type}, and ${of} for ${experiment.task.type}.`,
        'Combine adapters of one task.',
      );
  }
}

/** The hashes of a run's model files, as one string; undefined if they were not recorded. */
function modelSums({ folder, step }: NonNullable<LinearSource['run']>): string | undefined {
  const record = readInputs(folder);
  const files = record && filesBehind(record, step);
  const own = files?.filter(({ role }) => role === 'model' || role === 'model-data');
  if (!own || own.length === 0 || own.some(({ sha256 }) => sha256 === null)) return undefined;
  return own
    .map(({ sha256 }) => sha256)
    .sort()
    .join(' ');
}
