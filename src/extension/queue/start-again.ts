import { t } from '../../base/l10n';
import { askingAboutInputs } from '../ask/changed-inputs';
import { starting } from '../ask/starting';
import { askingBefore } from '../ask/asking-before';
import type { ResumeOptions } from '../launcher/client';
import type { Services } from '../services';
import type { QueuedWork } from './run-queue';

type Starts = Pick<Services, 'store' | 'trainer'>;

/**
 * Continues a run. Asks if its files have changed, or if another machine may be training it; if `attended` is false,
 * these are errors.
 *
 * @param name its experiment's, for messages
 * @returns false if the user declined
 */
export async function startResume(
  { store, trainer }: Starts,
  run: string,
  name: string,
  attended = true,
): Promise<boolean> {
  const title = t('Resuming {0}', name);
  const resume = (options: ResumeOptions) => starting(title, () => trainer.resume(run, options));
  const resumed = await askingBefore(resume, { attended });
  if (resumed) await store.refreshRun(run);
  return resumed;
}

/** Forks a run. Returns the fork's folder, once it is listed; undefined if the user declined to use changed files. */
export async function startFork(
  { store, trainer }: Starts,
  { run, step, overrides }: Extract<QueuedWork, { kind: 'fork' }>,
  name: string,
  attended = true,
): Promise<string | undefined> {
  const title = t('Forking {0} at step {1}', name, step);
  const begin = (accept: boolean) => starting(title, () => trainer.fork(run, step, overrides, accept));
  const fork = await (attended ? askingAboutInputs(begin) : begin(false));
  if (fork !== undefined) await store.refreshRun(fork);
  return fork;
}
