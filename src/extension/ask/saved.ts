import * as vscode from 'vscode';

/**
 * A program reads the file, not the editor: what is run is what one sees. False where the person turned away from
 * saving.
 */
export async function saved(file: string): Promise<boolean> {
  const open = vscode.workspace.textDocuments.find((d) => d.uri.scheme === 'file' && d.uri.fsPath === file);
  return !open?.isDirty || open.save();
}
