import * as vscode from 'vscode';

/**
 * Saves the file first, since a program reads it from disk: so the run has the editor's text. False if the user
 * declined to save.
 */
export async function saved(file: string): Promise<boolean> {
  const open = vscode.workspace.textDocuments.find((d) => d.uri.scheme === 'file' && d.uri.fsPath === file);
  return !open?.isDirty || open.save();
}
