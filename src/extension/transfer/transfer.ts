import { join } from 'node:path';
import * as vscode from 'vscode';
import { runPaths } from '../../runs/layout';
import { registerGuarded } from '../ask/guard';
import { COMMAND } from '../ids';
import type { Services } from '../services';
import { isTreeNode } from '../runs/nodes';
import { openCard, registerExport } from './export-command';
import { registerImport } from './import-command';

/** Adapter export and import. */
export const registerTransfer = (services: Services): vscode.Disposable =>
  vscode.Disposable.from(
    registerExport(services),
    registerImport(services),
    registerGuarded(services.log, COMMAND.openCard, async (argument) => {
      if (isTreeNode(argument) && argument.kind === 'export')
        await openCard(join(runPaths(argument.folder).exports, argument.name));
    }),
  );
