import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { notify } from '../../messages/notify';

/**
 * Reveals a folder in the application that browses files here.
 *
 * @param main shows the main file in it, offered if no file manager is available
 */
export async function revealFolder(
  place: string,
  main: { label: string; show: () => Thenable<unknown> },
): Promise<void> {
  const uri = vscode.Uri.file(place);
  const onDesktop = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
  if (onDesktop) return void (await vscode.commands.executeCommand('revealFileInOS', uri));
  // In remote windows the machine with the folder has no file manager, and the Explorer may hide the folder.
  const [copy, window] = [t('Copy Path'), t('Open in New Window')];
  const message = t('The folder is {0}.', place);
  const answer = await notify.information(message, copy, main.label, window);
  if (answer === copy) await vscode.env.clipboard.writeText(place);
  if (answer === main.label) await main.show();
  if (answer === window)
    await vscode.commands.executeCommand('vscode.openFolder', uri, { forceNewWindow: true });
}
