import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { runAnyway } from './run-anyway';
import { saved } from '../ask/saved';
import { starting } from '../ask/starting';
import { checkedExperiment } from '../ask/training-problems';
import { untrusted } from '../launcher/missing';
import { askedToStop } from '../notices/end-notice';
import { askBusy } from '../queue/ask-busy';
import { whileStarting, type InProgress } from '../queue/in-progress';
import { startRun } from '../queue/start-run';
import type { Services } from '../services';

/** How long the status bar says that a run is queued. */
const QUEUED_MS = 6000;

/**
 * Saves the file, checks it, starts a run of it and opens its dashboard. If something is in progress, the user may queue
 * it instead.
 *
 * @returns the new run folder; undefined if it was not started
 */
export async function trainExperiment(services: Services, file: string): Promise<string | undefined> {
  if (!vscode.workspace.isTrusted) throw untrusted();
  if (!(await saved(file))) return undefined;
  const spec = await checkedExperiment(file);
  if (!(await runAnyway(services, file))) return undefined;
  const wanted = { file, text: await readFile(file, 'utf8'), spec };
  const answer = await askBusy(services);
  if (!answer) return undefined;
  if (answer.do === 'queue') {
    const position = services.queue.add(wanted);
    const message = vscode.l10n.t('$(clock) {0} is queued at position {1}.', spec.name, position);
    vscode.window.setStatusBarMessage(message, QUEUED_MS);
    return undefined;
  }
  // Counts as starting meanwhile, so that the queue does not take the free place.
  const run = await whileStarting(spec.name, async () => {
    if (answer.do === 'stop') await stopOthers(services, answer.these);
    return startRun(services, wanted);
  });
  services.panels.openRun([run]);
  return run;
}

async function stopOthers({ store, trainer }: Services, { runs, sweeps }: InProgress): Promise<void> {
  const folders = [...runs, ...sweeps].map((r) => r.folder);
  folders.forEach((folder) => askedToStop.add(folder));
  try {
    const title = vscode.l10n.t('Stopping the other runs: the current step is finished and saved');
    await starting(title, () => Promise.all(folders.map((folder) => trainer.stop(folder))));
    await store.refresh();
  } finally {
    folders.forEach((folder) => askedToStop.delete(folder));
  }
}
