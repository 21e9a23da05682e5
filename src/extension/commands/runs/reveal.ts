import { join } from 'node:path';
import * as vscode from 'vscode';
import { runPaths, stepName } from '../../../runs/layout';
import { COMMAND } from '../../ids';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { isTreeNode } from '../../runs/nodes';
import { registerGuarded } from '../../ask/guard';
import { runFrom } from '../../ask/pick';

/**
 * Reveals the folder of the run, checkpoint, adapter or export that it was called on, wherever files are browsed here.
 */
export function registerReveal(services: Services): vscode.Disposable[] {
  return [
    registerGuarded(services.log, COMMAND.revealRun, async (argument) => {
      const run = await runFrom(services, argument, {
        title: vscode.l10n.t('Select a run to reveal its folder'),
      });
      if (run) await reveal(placeOf(run, argument), run);
    }),
  ];
}

function placeOf(run: RunEntry, argument: unknown): string {
  if (isTreeNode(argument) && argument.kind === 'checkpoint')
    return join(runPaths(run.folder).checkpoints, stepName(argument.step));
  if (isTreeNode(argument) && argument.kind === 'adapter')
    return join(runPaths(run.folder).adapter, argument.which);
  if (isTreeNode(argument) && argument.kind === 'export')
    return join(runPaths(run.folder).exports, argument.name);
  return run.folder;
}

async function reveal(place: string, run: RunEntry): Promise<void> {
  const uri = vscode.Uri.file(place);
  const onDesktop = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
  if (onDesktop) return void (await vscode.commands.executeCommand('revealFileInOS', uri));
  // In remote windows the machine with the folder has no file manager, and the Explorer may hide the folder.
  const [copy, spec, window] = [
    vscode.l10n.t('Copy Path'),
    vscode.l10n.t('Open spec.json'),
    vscode.l10n.t('Open in New Window'),
  ];
  const message = vscode.l10n.t('The folder is {0}.', place);
  const answer = await vscode.window.showInformationMessage(message, copy, spec, window);
  if (answer === copy) await vscode.env.clipboard.writeText(place);
  if (answer === spec) await vscode.window.showTextDocument(vscode.Uri.file(runPaths(run.folder).spec));
  if (answer === window)
    await vscode.commands.executeCommand('vscode.openFolder', uri, { forceNewWindow: true });
}
