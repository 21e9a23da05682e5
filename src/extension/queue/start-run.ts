import { t } from '../../base/l10n';
import { starting } from '../ask/starting';
import type { Services } from '../services';
import type { QueuedRun } from './run-queue';

/** Starts a run of an experiment's text. Returns its folder, once it is listed. */
export async function startRun(
  { store, trainer }: Pick<Services, 'store' | 'trainer'>,
  { file, text, spec }: Pick<Extract<QueuedRun, { kind: 'run' }>, 'file' | 'text' | 'spec'>,
): Promise<string> {
  const title = t('Starting {0}', spec.name);
  const run = await starting(title, () => trainer.start(file, [], text));
  await store.refreshRun(run);
  return run;
}
