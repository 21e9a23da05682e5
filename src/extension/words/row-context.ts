import * as vscode from 'vscode';
import type { RowContext } from './run-row';

export const rowContext = (): RowContext => ({
  t: vscode.l10n.t,
  locale: vscode.env.language,
  now: Date.now(),
  trusted: vscode.workspace.isTrusted,
});
