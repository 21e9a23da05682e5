import { resolve } from 'node:path';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { filesBehind, readInputs } from '../../runs/inputs';
import type { LinearSource } from './linear-source';

/**
 * Requires that the runs were trained on the experiment's model, for its task. Models are compared by the recorded
 * SHA-256 of their files where both runs have them, and otherwise by their paths. An experiment has no record: that of
 * the first run on its model's path counts.
 *
 * @param of the experiment, or the run that it is of
 * @throws AuroraError 'adapter' naming the first run that differs
 */
export function requireSameModel(sources: readonly LinearSource[], experiment: Experiment, of: string): void {
  const isAt = ({ spec }: Run) => resolve(spec.model.path) === resolve(experiment.model.path);
  const recorded = sources.flatMap(({ given, run }) => {
    const sums = run && modelSums(run);
    return sums ? [{ given, run, sums }] : [];
  });
  const wanted = recorded.find(({ run }) => isAt(run));
  for (const { given, run } of sources) {
    if (!run) continue;
    const { spec } = run;
    const own = recorded.find((other) => other.run === run);
    const isSame = own && wanted ? areSame(own.sums, wanted.sums) : isAt(run);
    if (!isSame && isAt(run))
      throw new AuroraError(
        'adapter',
        `${given} and ${wanted!.given} were trained on ${spec.model.path}, but its files changed in between: their recorded SHA-256 differ.`,
        'Combine runs of one version of the model, or train one of them again.',
      );
    if (!isSame)
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

type Run = NonNullable<LinearSource['run']>;

/** One run may read more of a model than another, such as the text encoders that it also trains. */
const areSame = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  [...a].every((sum) => b.has(sum)) || [...b].every((sum) => a.has(sum));

/** The hashes of the model files that a run read; undefined if they were not recorded. */
function modelSums({ folder, step }: Run): Set<string> | undefined {
  const record = readInputs(folder);
  const files = (record && filesBehind(record, step)) ?? [];
  const own = files.filter(({ role }) => role === 'model' || role === 'model-data');
  // Files that were looked for and not there have none.
  const sums = own.flatMap(({ sha256 }) => sha256 ?? []);
  return sums.length > 0 ? new Set(sums) : undefined;
}
