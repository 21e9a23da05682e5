import { t } from '../../../base/l10n';
import { runFrom } from '../../ask/pick';
import { clusterTrialOf, resumeTrial } from '../../cluster/cluster-trial';
import { startUnlessBusy } from '../../queue/ask-busy';
import { startResume } from '../../queue/start-queued';
import { experimentLabel } from '../../runs/label';
import { isActive, isResumable } from '../../runs/shown-state';
import type { Services } from '../../services';

/** A second click on a row must not ask about the run that the first one is starting. */
const underway = new Set<string>();

/** Continues a run where it ended, and opens its dashboard. */
export async function resumeRun(services: Services, argument: unknown): Promise<void> {
  const { panels } = services;
  const trial = await clusterTrialOf(services, argument);
  if (trial) return resumeTrial(trial);
  const run = await runFrom(services, argument, {
    title: t('Select a run to resume'),
    filter: isResumable,
  });
  if (!run || underway.has(run.folder)) return;
  const picked = await clusterTrialOf(services, run.folder);
  // The run's sweep resumes it.
  if (picked) return resumeTrial(picked);
  if (isActive(run.state)) return panels.openRun([run.folder]);
  const resume = () => startResume(services, run.folder, experimentLabel(run));
  const file = run.experiment;
  underway.add(run.folder);
  try {
    // A run that cannot be read is refused, with the reason.
    const resumed = run.run
      ? await startUnlessBusy(services, { kind: 'resume', run: run.folder, file, spec: run.run.spec }, resume)
      : await resume();
    if (resumed) panels.openRun([run.folder]);
  } finally {
    underway.delete(run.folder);
  }
}
