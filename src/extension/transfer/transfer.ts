import { join } from 'node:path';
import * as vscode from 'vscode';
import { runPaths } from '../../runs/layout';
import { registerGuarded } from '../ask/guard';
import { explaining } from '../ask/training-problems';
import { COMMAND } from '../ids';
import type { Services } from '../services';
import { isTreeNode } from '../runs/nodes';
import type { Contributes } from '../manifest/declared';

export const contributes: Contributes = {
  commands: {
    exportRun: {
      title: 'Export Run',
      icon: 'export',
      palette: 'aurora.hasRuns',
      menus: [
        { at: 'run', can: 'canExport', of: 'run', several: true, group: '1_run@3' },
        { at: 'row', can: 'canExport', of: 'checkpoint|adapter', group: '1_run@3' },
      ],
    },
    combineAdapters: {
      title: 'Combine Adapters',
      icon: 'combine',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canExport', of: 'run', several: true, group: '1_run@5' }],
    },
    publishAdapter: {
      title: 'Publish Adapter',
      icon: 'cloud-upload',
      palette: 'aurora.hasRuns',
      menus: [
        { at: 'run', of: 'run', can: 'canExport', group: '1_run@4' },
        { at: 'row', of: 'checkpoint|adapter', can: 'canExport', group: '1_run@4' },
      ],
    },
    openCard: {
      title: 'Open Model Card',
      icon: 'open-preview',
      palette: false,
      menus: [{ at: 'row', can: 'canOpenCard', group: '2_open@1' }],
    },
    importAdapter: {
      title: 'Import Adapter',
      icon: 'desktop-download',
      palette: 'aurora.hasExperiments',
      menus: [
        { at: 'row', can: 'canRun', group: '1_run@4' },
        { at: 'title', view: 'experiments', when: 'aurora.hasExperiments', group: '3_more@0' },
        { at: 'explorer', of: 'adapter', group: 'aurora@1' },
      ],
    },
  },
};

/** Adapter export, combining, publishing and import. */
export const registerTransfer = (services: Services): vscode.Disposable =>
  vscode.Disposable.from(
    registerGuarded(services.log, COMMAND.exportRun, async (...args) => {
      const { exportRun } = await import('./export-command');
      await explaining(() => exportRun(services, ...args));
    }),
    registerGuarded(services.log, COMMAND.combineAdapters, async (...args) => {
      const { combineAdapters } = await import('./combine-command');
      await explaining(() => combineAdapters(services, ...args));
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
