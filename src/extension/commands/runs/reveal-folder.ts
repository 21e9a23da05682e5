import { basename } from 'node:path';
import * as vscode from 'vscode';

/**
 * Reveals a folder wherever files are browsed here.
 *
 * @param main its main file, offered where there is no file manager
 */
export async function revealFolder(place: string, main: string): Promise<void> {
  const uri = vscode.Uri.file(place);
  const onDesktop = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
  if (onDesktop) return void (await vscode.commands.executeCommand('revealFileInOS', uri));
  // In remote windows the machine with the folder has no file manager, and the Explorer may hide the folder.
  const [copy, open, window] = [
    vscode.l10n.t('Copy Path'),
    vscode.l10n.t('Open {0}', basename(main)),
    vscode.l10n.t('Open in New Window'),
  ];
  const message = vscode.l10n.t('The folder is {0}.', place);
  const answer = await vscode.window.showInformationMessage(message, copy, open, window);
  if (answer === copy) await vscode.env.clipboard.writeText(place);
  if (answer === open) await vscode.window.showTextDocument(vscode.Uri.file(main));
  if (answer === window)
    await vscode.commands.executeCommand('vscode.openFolder', uri, { forceNewWindow: true });
}
