import type * as vscode from 'vscode';
import type { RunsOpen } from '../../../study/runs-table/runs-messages';
import { registerGuarded } from '../../ask/guard';
import { COMMAND } from '../../ids';
import type { Contributes } from '../../manifest/declared';
import { isTreeNode } from '../../runs/nodes';
import type { Services } from '../../services';

export const contributes: Contributes = {
  commands: {
    openRunsTable: {
      title: 'Show Runs Table',
      icon: 'table',
      palette: 'workbenchState != empty',
      menus: [
        { at: 'row', of: 'experiment|sweep', group: '2_open@5' },
        { at: 'title', view: 'experiments', when: 'aurora.hasExperiments', group: 'navigation@3' },
      ],
    },
  },
};

/** Shows the runs of an experiment's or a sweep's row, otherwise all, as a table. */
export const registerRunsTable = ({ log, panels }: Services): vscode.Disposable =>
  registerGuarded(log, COMMAND.openRunsTable, (argument) => panels.openRuns(scopeOf(argument)));

function scopeOf(argument: unknown): RunsOpen {
  if (!isTreeNode(argument)) return { all: true };
  if (argument.kind === 'experiment') return { experiment: argument.file };
  return argument.kind === 'sweep' ? { sweep: argument.folder } : { all: true };
}
