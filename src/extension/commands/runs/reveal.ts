import { join } from 'node:path';
import * as vscode from 'vscode';
import { runPaths, stepName } from '../../../runs/layout';
import { COMMAND } from '../../ids';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { isTreeNode } from '../../runs/nodes';
import { registerGuarded } from '../../ask/guard';
import { runFrom } from '../../ask/pick';
import { revealFolder } from './reveal-folder';

/**
 * Reveals the folder of the run, checkpoint, adapter or export that it was called on, wherever files are browsed here.
 */
export function registerReveal(services: Services): vscode.Disposable[] {
  return [
    registerGuarded(services.log, COMMAND.revealRun, async (argument) => {
      const run = await runFrom(services, argument, {
        title: vscode.l10n.t('Select a run to reveal its folder'),
      });
      if (run) await revealFolder(placeOf(run, argument), runPaths(run.folder).spec);
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
