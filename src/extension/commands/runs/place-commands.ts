import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { runPaths, stepName } from '../../../runs/layout';
import { registerGuarded } from '../../ask/guard';
import { COMMAND } from '../../ids';
import type { Contributes } from '../../manifest/declared';
import { isTreeNode, rowsFor, selectedRows, type TreeNode } from '../../runs/nodes';
import type { Services } from '../../services';

export const contributes: Contributes = {
  commands: {
    copyPath: {
      title: 'Copy Path',
      palette: false,
      menus: [{ at: 'run', notOf: 'queued', several: true, group: '2_place@1' }],
    },
    openInTerminal: {
      title: 'Open in Terminal',
      palette: false,
      menus: [{ at: 'run', notOf: 'queued', group: '2_place@2' }],
    },
  },
};

/**
 * The path of a row's subject on disk: an experiment's file, or a folder. A queued run has none yet, and hidden runs
 * have many.
 */
export function placeOf(node: TreeNode): string | undefined {
  switch (node.kind) {
    case 'experiment':
      return node.file;
    case 'queued':
    case 'more':
      return undefined;
    case 'checkpoint':
      return join(runPaths(node.folder).checkpoints, stepName(node.step));
    case 'adapter':
      return join(runPaths(node.folder).adapter, node.which);
    case 'export':
      return join(runPaths(node.folder).exports, node.name);
    default:
      return node.folder;
  }
}

/** Commands on where a row's files are. */
export function registerPlaceCommands({ log }: Services): vscode.Disposable[] {
  return [
    registerGuarded(log, COMMAND.copyPath, async (...args) => {
      const rows = args[0] === undefined ? selectedRows().slice(0, 1) : rowsFor(args);
      const paths = rows.filter(isTreeNode).flatMap((row) => placeOf(row) ?? []);
      if (paths.length > 0) await vscode.env.clipboard.writeText(paths.join('\n'));
    }),
    registerGuarded(log, COMMAND.openInTerminal, async (argument) => {
      const row = argument ?? selectedRows()[0];
      if (!isTreeNode(row)) return;
      const place = placeOf(row);
      if (place === undefined) return;
      const isFolder = await stat(place).then(
        (s) => s.isDirectory(),
        () => false,
      );
      vscode.window.createTerminal({ cwd: isFolder ? place : dirname(place) }).show();
    }),
  ];
}
