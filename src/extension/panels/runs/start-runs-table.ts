import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { writeAtomic } from '../../../files/atomic';
import {
  parseRunsMessage,
  type RunsFromPage,
  type RunsOpen,
  type TableAction,
} from '../../../study/runs-table/runs-messages';
import { parseSaved, parseView } from '../../../study/runs-table/saved-views';
import { showError } from '../../ask/guard';
import { COMMAND } from '../../ids';
import type { Services } from '../../services';
import type { PageChannel, PanelSession } from '../panel';
import { saveChart } from '../save-file';
import { subject } from './runs-table-panel';
import { RunsSession } from './runs-table-session';

/** The key in the workspace's state of the view of each table, by its subject. */
const VIEWS = 'runsTable.views';
/** The key in the workspace's state of the views that the user has named. */
const SAVED = 'runsTable.savedViews';
/** Two tables may be side by side. */
const savedChanged = new vscode.EventEmitter<void>();

/** Follows the runs, and serves the page's requests. */
export function startRuns(
  { store, log, context }: Services,
  open: RunsOpen,
  page: PageChannel,
): PanelSession<object> {
  const key = JSON.stringify(open);
  const views = () => Object(context.workspaceState.get(VIEWS)) as Record<string, unknown>;
  const failed = (e: unknown) => showError(log, e);
  const session = new RunsSession(open, {
    title: t('Runs of {0}', subject(open)),
    post: (message) => page.post(message),
    known: () => store.known(),
    runs: async () => (await store.experiments()).flatMap((e) => e.runs),
    view: () => parseView(Object.hasOwn(views(), key) ? views()[key] : undefined),
    keep: (view) => void context.workspaceState.update(VIEWS, { ...views(), [key]: view }),
    saved: () => parseSaved(context.workspaceState.get(SAVED)),
    keepSaved(saved) {
      context.workspaceState.update(SAVED, saved).then(undefined, failed);
      savedChanged.fire();
    },
    obey: (message) => {
      Promise.resolve(obey(message, page, subject(open))).catch(failed);
    },
    trusted: () => vscode.workspace.isTrusted,
    failed,
  });
  const changes = store.onDidChange(() => session.changed());
  const reading = store.onDidRead(() => session.changed());
  const named = savedChanged.event(() => session.savedChanged());
  const trust = vscode.workspace.onDidGrantWorkspaceTrust(() => session.changed());
  return {
    snapshot: () => session.snapshot(),
    hidden: () => session.hidden(),
    receive: (message) => {
      const known = parseRunsMessage(message);
      if (known) session.receive(known);
      else log.warn('aurora.runs: ignored a message of an unknown kind.');
    },
    dispose: () => {
      changes.dispose();
      reading.dispose();
      named.dispose();
      trust.dispose();
      session.dispose();
    },
  };
}

const ACTIONS: Record<TableAction, (runs: string[]) => Thenable<unknown>> = {
  compare: (runs) => vscode.commands.executeCommand(COMMAND.compareRuns, runs),
  study: (runs) => vscode.commands.executeCommand(COMMAND.openStudy, runs),
  export: (runs) => vscode.commands.executeCommand(COMMAND.exportRun, runs),
  combine: (runs) => vscode.commands.executeCommand(COMMAND.combineAdapters, runs),
  delete: (runs) => vscode.commands.executeCommand(COMMAND.deleteRun, runs),
};

function obey(
  message: Extract<RunsFromPage, { type: 'open' | 'action' | 'csv' | 'saveChart' }>,
  page: PageChannel,
  about: string,
): Thenable<unknown> {
  switch (message.type) {
    case 'open':
      return vscode.commands.executeCommand(COMMAND.openRun, message.run);
    case 'action':
      return ACTIONS[message.action](message.runs);
    case 'csv':
      return save(message.text, message.rows, page);
    case 'saveChart':
      return saveChart(message, about);
  }
}

async function save(text: string, rows: number, page: PageChannel): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const target = await vscode.window.showSaveDialog({
    title: t('Export the table as CSV'),
    saveLabel: t('Export'),
    ...(folder && { defaultUri: vscode.Uri.joinPath(folder, 'runs.csv') }),
    filters: { CSV: ['csv'] },
  });
  if (!target) return;
  if (target.scheme === 'file') writeAtomic(target.fsPath, text);
  else await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
  page.post({ type: 'saved', rows });
}
