import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { notify } from '../messages/notify';

/**
 * True if the workspace is trusted. If not, shows `message`, which explains why trust is needed, with a button to grant
 * it.
 */
export async function trustedFor(message: string): Promise<boolean> {
  if (vscode.workspace.isTrusted) return true;
  const manage = t('Manage Workspace Trust');
  if ((await notify.warning(message, manage)) === manage)
    await vscode.commands.executeCommand('workbench.trust.manage');
  return false;
}

/** Opened in VS Code's Markdown preview, or as text if that is disabled. */
export async function openReport(page: vscode.Uri): Promise<void> {
  try {
    await vscode.commands.executeCommand('markdown.showPreview', page);
  } catch {
    await vscode.window.showTextDocument(page, { preview: true });
  }
}
