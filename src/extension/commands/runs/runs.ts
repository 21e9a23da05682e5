import * as vscode from 'vscode';
import { registerGuarded } from '../../ask/guard';
import { COMMAND } from '../../ids';
import type { Services } from '../../services';
import { registerDiagnostics } from './diagnostics';
import { registerEditCommands } from './edit';
import { registerErrors } from '../errors';
import { registerStudy } from '../study';
import { registerLog } from './log';
import { registerOpenCommands } from './open';
import { registerPlaceCommands } from './place';
import { registerReveal } from './reveal';
import { registerSettings } from './settings';
import { registerSourceDiff } from './source-diff';
import { registerRunsTable } from './table';

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
      (await import('./use-settings')).useSettings(services, argument),
    ),
    registerGuarded(log, COMMAND.duplicateExperiment, async (argument) =>
      (await import('../duplicate')).duplicateExperiment(services, argument),
    ),
  ];
}
