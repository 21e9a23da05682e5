import * as vscode from 'vscode';
import { COMMAND } from '../../ids';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { isTreeNode } from '../../runs/nodes';
import { registerGuarded } from '../../ask/guard';
import { runFrom } from '../../ask/pick';
import { placeOf } from './place';

/**
 * Reveals the folder of the run, checkpoint, adapter or export that it was called on, wherever files are browsed here.
 */
export function registerReveal(services: Services): vscode.Disposable[] {
  return [
    registerGuarded(services.log, COMMAND.revealRun, async (argument) => {
      const run = await runFrom(services, argument, {
        title: vscode.l10n.t('Select a run to reveal its folder'),
      });
      if (run) await reveal(isTreeNode(argument) ? placeOf(argument) : run.folder, run);
    }),
  ];
}

async function reveal(place: string, run: RunEntry): Promise<void> {
  const uri = vscode.Uri.file(place);
  const onDesktop = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
  if (onDesktop) return void (await vscode.commands.executeCommand('revealFileInOS', uri));
  // In remote windows the machine with the folder has no file manager, and the Explorer may hide the folder.
  const [copy, settings, window] = [
    vscode.l10n.t('Copy Path'),
    vscode.l10n.t('Open Settings'),
    vscode.l10n.t('Open in New Window'),
  ];
  const message = vscode.l10n.t('The folder is {0}.', place);
  const answer = await vscode.window.showInformationMessage(message, copy, settings, window);
  if (answer === copy) await vscode.env.clipboard.writeText(place);
  if (answer === settings) await vscode.commands.executeCommand(COMMAND.openSettings, run.folder);
  if (answer === window)
    await vscode.commands.executeCommand('vscode.openFolder', uri, { forceNewWindow: true });
}
