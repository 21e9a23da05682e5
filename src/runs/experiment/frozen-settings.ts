import type { Experiment } from '../../experiment/experiment';
import { withPaths } from '../../experiment/paths';
import { writtenPath } from '../../files/hub-cache';
import type { FrozenClaim } from '../../study/claim/certificate';
import type { PlannedClaim } from './claim-trials';

/**
 * The settings that decide a claim as frozen.json has them: without the experiment's name, and with paths relative to its
 * file. The contents of the files that they name are not among them.
 */
export function frozenSettings({
  file,
  claim,
  looks,
  experiment,
}: Pick<PlannedClaim, 'file' | 'claim' | 'looks' | 'experiment'>): Pick<
  FrozenClaim,
  'claim' | 'looks' | 'experiment'
> {
  const written: Partial<Experiment> = withPaths(experiment, (path) => writtenPath(file, path));
  delete written.name;
  // Without the undefined values, which JSON does not have.
  return { claim, looks, experiment: JSON.parse(JSON.stringify(written)) as FrozenClaim['experiment'] };
}
