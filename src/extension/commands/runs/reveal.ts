import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { registerGuarded } from '../../ask/guard';
import { runFrom } from '../../ask/pick';
import { COMMAND } from '../../ids';
import type { Contributes } from '../../manifest/declared';
import { notify } from '../../messages/notify';
import { isTreeNode } from '../../runs/nodes';
import type { Services } from '../../services';
import { placeOf } from './place-commands';

export const contributes: Contributes = {
  commands: {
    revealRun: {
      title: 'Reveal Run Folder',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canReveal', group: '2_open@8' }],
    },
  },
};

/**
 * Reveals the folder of the run, checkpoint, adapter or export that it was called on, wherever files are browsed here.
 */
export function registerReveal(services: Services): vscode.Disposable[] {
  return [
    registerGuarded(services.log, COMMAND.revealRun, async (argument) => {
      const run = await runFrom(services, argument, {
        title: t('Select a run to reveal its folder'),
      });
      if (!run) return;
      await revealFolder((isTreeNode(argument) && placeOf(argument)) || run.folder, {
        label: t('Open Settings'),
        show: () => vscode.commands.executeCommand(COMMAND.openSettings, run.folder),
      });
    }),
  ];
}

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
