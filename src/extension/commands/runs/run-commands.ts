import * as vscode from 'vscode';
import { registerGuarded } from '../../ask/guard';
import { COMMAND } from '../../ids';
import type { Contributes } from '../../manifest/declared';
import type { Services } from '../../services';
import { registerErrors } from '../errors-command';
import { registerStudy } from '../study-command';
import { registerDiagnostics } from './diagnostics-command';
import { registerEditCommands } from './edit';
import { registerOpenCommands } from './open-commands';
import { registerPlaceCommands } from './place-commands';
import { registerReveal } from './reveal';
import { registerLog } from './run-log';
import { registerSettings } from './run-settings';
import { registerSourceDiff } from './source-diff';
import { registerRunsTable } from './table-command';

export const contributes: Contributes = {
  commands: {
    useSettings: {
      title: "Use This Run's Settings",
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canOpen', group: '3_edit@4' }],
    },
    deleteRun: {
      title: 'Delete Run',
      icon: 'trash',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canDelete', several: true, group: '5_delete@1' }],
      keys: {
        key: 'delete',
        mac: 'cmd+backspace',
        args: 'selection',
        when: 'focusedView == aurora.experiments && !inputFocus',
      },
    },
    restoreRun: {
      title: 'Restore Deleted Run',
      palette: 'workbenchState != empty',
      menus: [{ at: 'title', view: 'experiments', group: '3_more@1' }],
    },
    duplicateExperiment: {
      title: 'Duplicate Experiment',
      palette: 'aurora.hasExperiments',
      menus: [
        { at: 'row', can: 'canEdit', group: '2_open@3' },
        { at: 'explorer', of: 'experiment', group: 'aurora@5' },
      ],
    },
  },
};

/** All commands on runs except training. */
export const registerRunCommands = (services: Services): vscode.Disposable =>
  vscode.Disposable.from(
    ...registerOpenCommands(services),
    registerErrors(services),
    registerStudy(services),
    registerRunsTable(services),
    ...registerEditCommands(services),
    ...registerSettings(services),
    ...registerSourceDiff(services),
    ...registerLog(services),
    ...registerReveal(services),
    ...registerPlaceCommands(services),
    ...registerDiagnostics(services),
    ...loadedWhenUsed(services),
  );

function loadedWhenUsed(services: Services): vscode.Disposable[] {
  const { log } = services;
  return [
    registerGuarded(log, COMMAND.deleteRun, async (...args) =>
      (await import('./delete')).deleteRuns(services, args),
    ),
    registerGuarded(log, COMMAND.restoreRun, async () => (await import('./delete')).restoreDeleted(services)),
    registerGuarded(log, COMMAND.useSettings, async (argument) =>
      (await import('./use-settings-command')).useSettings(services, argument),
    ),
    registerGuarded(log, COMMAND.duplicateExperiment, async (argument) =>
      (await import('../duplicate')).duplicateExperiment(services, argument),
    ),
  ];
}
