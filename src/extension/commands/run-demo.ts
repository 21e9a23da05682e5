import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { CONTEXT, INTERNAL } from '../ids';
import { untrusted } from '../../executors/missing-piece';
import { handOver } from '../launcher/trainer-client';
import type { DemoName } from '../runs/demo-places';
import type { Services } from '../services';
import { markStep } from '../walkthrough/walkthrough';
import { liveRun } from '../demo/demo-folder';
import { preparedDemo } from '../demo/prepared-demo';
import { trainExperiment } from './training/train-experiment';
import { notify } from '../messages/notify';

/** @returns the run folder */
export async function runDemo(services: Services, demo: DemoName): Promise<string | undefined> {
  const { context, panels, store, log } = services;
  if (!vscode.workspace.isTrusted) throw untrusted();
  const began = Date.now();
  const { file, workspaceFolder } = await preparedDemo(context, demo);
  const folder = dirname(file);
  // Its folder is listed from now on, though it is not open.
  if (!workspaceFolder) await store.refresh();
  log.info(`The demo is in ${folder} (${Date.now() - began} ms).`);
  await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: false });
  // A second click shows the run that the first one started.
  const live = await liveRun(file);
  const isKnown = (await store.experiments()).some((e) => e.file === file && e.runs.length > 0);
  if (live) await store.refreshRun(live);
  const run = live ?? (await trainExperiment(services, file));
  // After the first time, the user may be looking for it: the first dashboard stays alone.
  if (isKnown) await vscode.commands.executeCommand(INTERNAL.showExperiment, file);
  if (run === undefined) return undefined;
  if (live) panels.openRun([live]);
  log.info(`The demo's trainer is running (${Date.now() - began} ms after the click).`);
  markStep(context, CONTEXT.demoRan);
  if (!workspaceFolder && !isKnown) offerFolder(services, folder);
  return run;
}

/** Opening a folder reloads the window, and the run continues. */
function offerFolder({ context, trainer }: Services, folder: string): void {
  const open = t('Open Folder');
  const message = t(
    'The demo is training in {0}, and its runs are in the Experiments view. Open that folder to work on its files; training continues.',
    folder,
  );
  void notify.information(message, open).then(async (picked) => {
    if (picked !== open) return;
    await handOver(context, trainer.ownRuns());
    await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.file(folder));
  });
}
