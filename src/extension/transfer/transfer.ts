import { join } from 'node:path';
import * as vscode from 'vscode';
import { runPaths } from '../../runs/layout';
import { registerGuarded } from '../ask/guard';
import { explaining } from '../ask/training-problems';
import { COMMAND } from '../ids';
import type { Services } from '../services';
import { isTreeNode } from '../runs/nodes';

/** Adapter export, import and publishing. */
export const registerTransfer = (services: Services): vscode.Disposable =>
  vscode.Disposable.from(
    registerGuarded(services.log, COMMAND.exportRun, async (...args) => {
      const { exportRun } = await import('./export-command');
      await explaining(() => exportRun(services, ...args));
    }),
    registerGuarded(services.log, COMMAND.publishAdapter, async (argument) => {
      const { publishAdapter } = await import('./publish-command');
      await explaining(() => publishAdapter(services, argument));
    }),
    registerGuarded(services.log, COMMAND.importAdapter, async (argument) => {
      const { importAdapter } = await import('./import-command');
      await explaining(() => importAdapter(services, argument));
    }),
    registerGuarded(services.log, COMMAND.openCard, async (argument) => {
      if (!isTreeNode(argument) || argument.kind !== 'export') return;
      const { openCard } = await import('./export-command');
      await openCard(join(runPaths(argument.folder).exports, argument.name));
    }),
  );
