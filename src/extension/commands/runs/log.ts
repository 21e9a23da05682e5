import { basename } from 'node:path';
import * as vscode from 'vscode';
import { runPaths } from '../../../runs/layout';
import { COMMAND } from '../../ids';
import { runLabel } from '../../runs/label';
import type { Services } from '../../services';
import { registerGuarded } from '../../ask/guard';
import { runFrom } from '../../ask/pick';
import type { LogDocuments } from './log-documents';

/** The trainer's log, read-only, from the end, and updated while it is open. */
export function registerLog(services: Services): vscode.Disposable[] {
  const changed = new vscode.EventEmitter<vscode.Uri>();
  let loaded: Promise<LogDocuments> | undefined;
  const documents = () =>
    (loaded ??= import('./log-documents').then(({ LogDocuments }) => new LogDocuments(changed)));
  return [
    changed,
    new vscode.Disposable(() => void loaded?.then((all) => all.dispose())),
    vscode.workspace.registerTextDocumentContentProvider('aurora-log', {
      onDidChange: changed.event,
      provideTextDocumentContent: async (uri) => (await documents()).text(uri),
    }),
    registerGuarded(services.log, COMMAND.showLog, async (argument) => {
      const run = await runFrom(services, argument, {
        title: vscode.l10n.t('Select a run to show its trainer log'),
      });
      if (!run) return;
      const title = vscode.l10n.t('Log of {0}', runLabel(run));
      await (await documents()).show(runPaths(run.folder).log, run.id, title);
    }),
    registerGuarded(services.log, COMMAND.showClusterLog, async (argument) => {
      const { clusterLogFrom } = await import('../../cluster/log');
      const found = await clusterLogFrom(services, argument);
      if (!found) return;
      const { path, label } = found;
      const title = vscode.l10n.t('Cluster Log of {0}', label);
      await (await documents()).show(path, basename(path), title);
    }),
  ];
}
