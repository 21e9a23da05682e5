import * as vscode from 'vscode';

/** Whether the workspace is trusted; with the way to give trust where it is not, after `message` that says why. */
export async function trustedFor(message: string): Promise<boolean> {
  if (vscode.workspace.isTrusted) return true;
  const manage = vscode.l10n.t('Manage Workspace Trust');
  if ((await vscode.window.showWarningMessage(message, manage)) === manage)
    await vscode.commands.executeCommand('workbench.trust.manage');
  return false;
}

/** Drawn by VS Code's own Markdown preview, and as text where that is switched off. */
export async function openReport(page: vscode.Uri): Promise<void> {
  try {
    await vscode.commands.executeCommand('markdown.showPreview', page);
  } catch {
    await vscode.window.showTextDocument(page, { preview: true });
  }
}
