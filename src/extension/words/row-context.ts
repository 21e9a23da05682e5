import * as vscode from 'vscode';
import type { RowContext } from './run-row';

export const rowContext = (): RowContext => ({
  locale: vscode.env.language,
  now: Date.now(),
  trusted: vscode.workspace.isTrusted,
});
