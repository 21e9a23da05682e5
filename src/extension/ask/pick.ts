import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { isTreeNode, runFolderOf } from '../runs/nodes';
import { LANGUAGE } from '../ids';
import { byName } from '../runs/sort';
import { runsInTreeOrder } from './order';
import { runItem } from './run-item';
import { notify } from '../messages/notify';

/**
 * The run for a command: its argument (a tree row or a run folder), otherwise the only suitable run, otherwise one
 * picked from a list. Undefined if the user canceled, or after a message if there are none to choose from.
 */
export async function runFrom(
  services: Services,
  argument: unknown,
  choice: { title: string; filter?: (run: RunEntry) => boolean },
): Promise<RunEntry | undefined> {
  const folder = typeof argument === 'string' ? argument : runFolderOf(argument);
  if (folder !== undefined) return services.store.run(folder) ?? services.store.refreshRun(folder);
  const runs = (await runsInTreeOrder(services)).filter(choice.filter ?? (() => true));
  if (runs.length === 0) {
    void notify.information(t('There is no suitable run in this workspace.'));
    return undefined;
  }
  if (runs.length === 1) return runs[0];
  const picked = await vscode.window.showQuickPick(runs.map(runItem), {
    title: choice.title,
    ignoreFocusOut: true,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.run;
}

/**
 * The experiment file for a command: a row, a file's Uri, a path, the open editor's file, or one picked from a list.
 */
export async function experimentFrom(
  { store }: Services,
  argument: unknown,
  title: string,
): Promise<string | undefined> {
  if (typeof argument === 'string') return argument;
  if (argument instanceof vscode.Uri) return argument.fsPath;
  if (isTreeNode(argument) && argument.kind === 'experiment') return argument.file;
  const open = vscode.window.activeTextEditor?.document;
  if (open?.languageId === LANGUAGE && open.uri.scheme === 'file') return open.uri.fsPath;
  const known = (await store.experiments()).filter((e) => e.exists).sort(byName);
  if (known.length === 0) {
    void notify.information(
      t('There are no experiments in this workspace. Create one with "AuroRA: New Experiment".'),
    );
    return undefined;
  }
  if (known.length === 1) return known[0].file;
  const items = known.map((e) => ({
    label: e.name,
    description: vscode.workspace.asRelativePath(e.file),
    file: e.file,
  }));
  return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.file;
}
