import { homedir, tmpdir } from 'node:os';
import * as vscode from 'vscode';
import { editorHint, shortPaths } from '../words/error-text';

/** An error and its hint in one string, in the words of the editor: the reason first, and files without their paths. */
export function messageOf({ message, hint }: { message: string; hint?: string }): string {
  const text = hint ? `${message} ${editorHint(hint)}` : message;
  const folders = vscode.workspace.workspaceFolders?.map((f) => f.uri.fsPath) ?? [];
  return shortPaths(text.trim(), [...folders, homedir(), tmpdir()]);
}
