import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { ExperimentEntry } from '../runs/store';

/** An experiment's location: its folder, unless that is the only workspace folder itself. */
export function placeOf(entry: ExperimentEntry | undefined): string {
  // A demo's folder is not open; its row's tooltip has its path.
  if (!entry?.workspaceFolder) return '';
  const folder = dirname(entry.file);
  const several = (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
  if (folder === entry.workspaceFolder.uri.fsPath) return several ? entry.workspaceFolder.name : '';
  return vscode.workspace.asRelativePath(folder, several);
}
