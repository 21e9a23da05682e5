import * as vscode from 'vscode';
import { askingAboutInputs } from '../ask/changed-inputs';
import { starting } from '../ask/starting';
import { orTakeOver } from '../ask/take-over';
import type { Services } from '../services';
import type { QueuedWork } from './run-queue';

type Starts = Pick<Services, 'store' | 'trainer'>;

/**
 * Continues a run. Asks if its files have changed, or if another machine may be training it.
 *
 * @param name its experiment's, for messages
 * @returns false if the user declined
 */
export async function startResume({ store, trainer }: Starts, run: string, name: string): Promise<boolean> {
  const title = vscode.l10n.t('Resuming {0}', name);
  const resumed = await askingAboutInputs((acceptChangedInputs) =>
    orTakeOver((takeOver) => starting(title, () => trainer.resume(run, { takeOver, acceptChangedInputs }))),
  );
  if (resumed) await store.refreshRun(run);
  return resumed === true;
}

/** Forks a run. Returns the fork's folder, once it is listed; undefined if the user declined to use changed files. */
export async function startFork(
  { store, trainer }: Starts,
  { run, step, overrides }: Extract<QueuedWork, { kind: 'fork' }>,
  name: string,
): Promise<string | undefined> {
  const title = vscode.l10n.t('Forking {0} at step {1}', name, step);
  const fork = await askingAboutInputs((accept) =>
    starting(title, () => trainer.fork(run, step, overrides, accept)),
  );
  if (fork !== undefined) await store.refreshRun(fork);
  return fork;
}
