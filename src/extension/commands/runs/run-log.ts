import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { runPaths } from '../../../runs/layout';
import { runLabel } from '../../../runs/run-labels';
import { registerGuarded } from '../../ask/guard';
import { runFrom } from '../../ask/pick';
import { COMMAND } from '../../ids';
import { readTail } from '../../../executors/local/run-status';
import type { Contributes } from '../../manifest/declared';
import type { Services } from '../../services';

export const contributes: Contributes = {
  commands: {
    showLog: {
      title: 'Show Trainer Log',
      icon: 'output',
      menus: [{ at: 'run', can: 'canDiagnose', group: '2_open@7' }],
    },
    showClusterLog: {
      title: 'Show Cluster Log',
      icon: 'output',
      palette: 'aurora.hasRuns',
      menus: [
        { at: 'run', can: 'canShowClusterLog', group: '2_open@9' },
        { at: 'row', can: 'canShowClusterLog', of: 'trial', group: 'inline@3' },
      ],
    },
  },
};

const SCHEME = 'aurora-log';
/** Polling interval of an open log. */
const FOLLOW_MS = 1000;

/** The trainer's log, read-only, from the end, and updated while it is open. */
export function registerLog(services: Services): vscode.Disposable[] {
  const logs = new LogDocuments();
  return [
    logs,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, logs),
    registerGuarded(services.log, COMMAND.showLog, async (argument) => {
      const run = await runFrom(services, argument, {
        title: t('Select a run to show its trainer log'),
      });
      if (!run) return;
      await show(logs, runPaths(run.folder).log, run.id, t('Log of {0}', runLabel(run)));
    }),
    registerGuarded(services.log, COMMAND.showClusterLog, async (argument) => {
      const { clusterLogFrom } = await import('../../cluster/cluster-trial');
      const found = await clusterLogFrom(services, argument);
      if (!found) return;
      const { path, label } = found;
      await show(logs, path, basename(path), t('Cluster Log of {0}', label));
    }),
  ];
}

/** @param id a string that distinguishes it from others with the same title */
async function show(logs: LogDocuments, log: string, id: string, title: string): Promise<void> {
  const path = `/${id}/${title.replaceAll('/', '-')}.log`;
  const uri = vscode.Uri.from({ scheme: SCHEME, path, query: log });
  await logs.refresh(uri);
  const document = await vscode.workspace.openTextDocument(uri);
  logs.opened(document);
  showEnd(await vscode.window.showTextDocument(document));
}

class LogDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly lines = new Map<string, number>();
  private readonly sizes = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private readonly subscription = vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
    if (document.uri.scheme === SCHEME && contentChanges.length > 0) this.follow(document);
  });

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    this.timer ??= setInterval(() => void this.lookAtOpen(), FOLLOW_MS);
    const tail = await readTail(uri.query);
    this.sizes.set(uri.toString(), tail?.size ?? 0);
    return (
      tail?.text || t('This run has no trainer log: it was trained in a terminal, or has not started yet.')
    );
  }

  async refresh(uri: vscode.Uri): Promise<void> {
    const size = await stat(uri.query).then(
      (s) => s.size,
      () => 0,
    );
    if ((this.sizes.get(uri.toString()) ?? size) !== size) this.changed.fire(uri);
  }

  dispose(): void {
    clearInterval(this.timer);
    this.subscription.dispose();
    this.changed.dispose();
  }

  private async lookAtOpen(): Promise<void> {
    const open = vscode.workspace.textDocuments.filter((d) => d.uri.scheme === SCHEME);
    if (open.length > 0) return void (await Promise.all(open.map((d) => this.refresh(d.uri))));
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Scrolls editors whose cursor was at the end; others are left alone. */
  private follow(document: vscode.TextDocument): void {
    const before = this.lines.get(document.uri.toString()) ?? 0;
    this.lines.set(document.uri.toString(), document.lineCount);
    for (const editor of vscode.window.visibleTextEditors)
      if (editor.document === document && editor.selection.active.line >= before - 1) showEnd(editor);
  }

  /** The document's current length, so that the next change knows where its end was. */
  opened(document: vscode.TextDocument): void {
    this.lines.set(document.uri.toString(), document.lineCount);
  }
}

function showEnd(editor: vscode.TextEditor): void {
  const end = editor.document.lineAt(editor.document.lineCount - 1).range.end;
  editor.selection = new vscode.Selection(end, end);
  editor.revealRange(new vscode.Range(end, end));
}
