import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { starting } from '../ask/starting';
import { askedToStop } from '../notices/end-notice';
import type { Services } from '../services';
import { busyQuestion } from './busy-words';
import { inProgress, isIdle, whileStarting, type InProgress } from './in-progress';
import type { NewQueued, QueuedWork } from './run-queue';
import { notify } from '../messages/notify';

type BusyAnswer = { do: 'start' } | { do: 'queue' } | { do: 'stop'; these: InProgress };

/** The time for which the status bar shows that a run is queued. */
const QUEUED_MS = 6000;

/**
 * Starts something that trains. If something is in progress, the user decides whether to queue it, to run it beside, or
 * to stop the other work first.
 *
 * @returns the result of `start`; undefined if it is queued, or if the user canceled
 */
export async function startUnlessBusy<T>(
  services: Services,
  wanted: NewQueued,
  start: () => Promise<T>,
): Promise<T | undefined> {
  const answer = await askBusy(services, wanted.kind);
  if (!answer) return undefined;
  const { name } = wanted.spec;
  if (answer.do === 'queue') {
    const position = services.queue.add(wanted);
    const message = t('$(clock) {0} is queued at position {1}.', name, position);
    vscode.window.setStatusBarMessage(message, QUEUED_MS);
    return undefined;
  }
  // It counts as starting during this, so that the queue does not take the free place.
  return whileStarting(name, async () => {
    if (answer.do === 'stop') await stopOthers(services, answer.these);
    return start();
  });
}

/** Asks only if something is in progress; undefined if canceled. */
async function askBusy({ store }: Services, wanted: QueuedWork['kind']): Promise<BusyAnswer | undefined> {
  const now = await inProgress(store);
  if (isIdle(now)) return { do: 'start' };
  const { message, detail, stop } = busyQuestion(now, wanted);
  const [queue, parallel] = [t('Queue'), t('Run in Parallel')];
  const buttons = [queue, parallel, ...(stop === undefined ? [] : [stop])];
  const answer = await notify.information(message, { modal: true, detail }, ...buttons);
  if (answer === queue) return { do: 'queue' };
  if (answer === parallel) return { do: 'start' };
  return answer !== undefined && answer === stop ? { do: 'stop', these: now } : undefined;
}

async function stopOthers({ store, trainer }: Services, { runs, sweeps, claims }: InProgress): Promise<void> {
  const folders = [...runs, ...sweeps, ...claims].map((r) => r.folder);
  folders.forEach((folder) => askedToStop.add(folder));
  try {
    const title = t('Stopping the other runs: the current step is finished and saved');
    await starting(title, () => Promise.all(folders.map((folder) => trainer.stop(folder))));
    await store.refresh();
  } finally {
    folders.forEach((folder) => askedToStop.delete(folder));
  }
}
