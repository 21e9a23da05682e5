import { basename } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { sweepPaths } from '../../runs/sweep/record';
import { registerGuarded } from '../ask/guard';
import { sweepFrom } from '../ask/pick';
import { explaining } from '../ask/training-problems';
import { COMMAND, FROM_ROW } from '../ids';
import type { ResumeOptions } from '../launcher/client';
import type { Contributes } from '../manifest/declared';
import { notify } from '../messages/notify';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    runSweep: {
      title: 'Run Sweep',
      icon: 'run-all',
      palette: 'aurora.hasExperiments',
      menus: [
        { at: 'row', can: 'canSweep', group: '1_run@5' },
        { at: 'explorer', of: 'experiment', group: 'aurora@3' },
      ],
    },
    runSweepOn: {
      title: 'Run Sweep On…',
      icon: 'server-environment',
      palette: 'aurora.hasExperiments',
      menus: [{ at: 'row', can: 'canSweep', group: '1_run@7' }],
    },
    stopSweep: {
      title: 'Stop Sweep',
      icon: 'debug-stop',
      palette: 'aurora.hasRunningSweep',
      menus: [
        { at: 'row', can: 'canStopSweep', group: '1_run@1' },
        { at: 'row', can: 'canStopSweep', group: 'inline@1' },
      ],
    },
    resumeSweep: {
      title: 'Resume Sweep',
      icon: 'debug-continue',
      palette: false,
      menus: [
        { at: 'row', can: 'canGoOn', group: '1_run@1' },
        { at: 'row', can: 'canGoOn', group: 'inline@1' },
      ],
    },
    openSweep: {
      title: 'Open Sweep',
      icon: 'graph',
      palette: 'aurora.hasExperiments',
      menus: [
        { at: 'row', can: 'canOpenSweep', group: '2_open@1' },
        { at: 'row', can: 'canOpenSweep', group: 'inline@2' },
      ],
    },
    studySweep: {
      title: 'Open Study of Sweep',
      palette: false,
      menus: [{ at: 'row', can: 'canOpenSweep', group: '2_open@2' }],
    },
    revealSweep: {
      title: 'Reveal Sweep Folder',
      palette: false,
      menus: [{ at: 'row', can: 'canOpenSweep', group: '2_open@8' }],
    },
    deleteSweep: {
      title: 'Delete Sweep',
      palette: 'aurora.hasExperiments',
      menus: [{ at: 'row', can: 'canOpenSweep', group: '5_delete@1' }],
    },
  },
};

/** Sweeps run in `aurora sweep`, as runs do in `aurora train`: in a separate process, found again by its folder. */
export const registerSweeps = (services: Services): vscode.Disposable =>
  vscode.Disposable.from(
    registerGuarded(services.log, COMMAND.runSweep, async (argument, options) => {
      const { runSweep } = await import('./run-sweep');
      await explaining(() => runSweep(services, argument, isOptions(options) ? options : {}));
    }),
    registerGuarded(services.log, COMMAND.runSweepOn, async (argument) => {
      const { runSweep } = await import('./run-sweep');
      await explaining(() => runSweep(services, argument, {}, true));
    }),
    registerGuarded(services.log, COMMAND.stopSweep, async (argument) => {
      const { stopSweep } = await import('./run-sweep');
      await explaining(() => stopSweep(services, argument));
    }),
    registerGuarded(services.log, COMMAND.resumeSweep, (argument) =>
      vscode.commands.executeCommand(COMMAND.runSweep, argument),
    ),
    registerGuarded(services.log, COMMAND.openSweep, async (argument, from) => {
      const found = await sweepFrom(services, argument, t('Select a sweep to open'));
      if (found) services.panels.openSweep(found.sweep.folder, from === FROM_ROW);
    }),
    registerGuarded(services.log, COMMAND.studySweep, async (argument) => {
      const title = t('Select a sweep to study its trials');
      const found = await sweepFrom(services, argument, title);
      if (!found) return;
      const runs = found.runs.filter((r) => r.run).map((r) => r.folder);
      if (runs.length > 0) services.panels.openStudy({ runs });
      else void notify.information(t('No trial of this sweep has started yet.'));
    }),
    registerGuarded(services.log, COMMAND.revealSweep, async (argument) => {
      const title = t('Select a sweep to reveal its folder');
      const found = await sweepFrom(services, argument, title);
      const { revealFolder } = await import('./runs/reveal');
      if (!found) return;
      const record = vscode.Uri.file(sweepPaths(found.sweep.folder).sweep);
      await revealFolder(found.sweep.folder, {
        label: t('Open {0}', basename(record.fsPath)),
        show: () => vscode.window.showTextDocument(record),
      });
    }),
    registerGuarded(services.log, COMMAND.deleteSweep, async (argument) => {
      const { deleteSweep } = await import('./delete-sweep');
      await deleteSweep(services, argument);
    }),
  );

/** VS Code's menus pass the other selected rows in this position. */
const isOptions = (value: unknown): value is ResumeOptions =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
