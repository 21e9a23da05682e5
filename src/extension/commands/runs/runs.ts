import * as vscode from 'vscode';
import type { Services } from '../../services';
import { registerDeleteCommands } from './delete';
import { registerDiagnostics } from './diagnostics';
import { registerEditCommands } from './edit';
import { registerErrors } from '../errors';
import { registerDuplicate } from '../duplicate';
import { registerStudy } from '../study';
import { registerLog } from './log';
import { registerOpenCommands } from './open';
import { registerPlaceCommands } from './place';
import { registerReveal } from './reveal';
import { registerSettings } from './settings';
import { registerSourceDiff } from './source-diff';
import { registerRunsTable } from './table';
import { registerUseSettings } from './use-settings';

/** All commands on runs except training. */
export const registerRunCommands = (services: Services): vscode.Disposable =>
  vscode.Disposable.from(
    ...registerOpenCommands(services),
    registerErrors(services),
    registerStudy(services),
    registerRunsTable(services),
    ...registerEditCommands(services),
    ...registerDeleteCommands(services),
    ...registerSettings(services),
    ...registerSourceDiff(services),
    registerUseSettings(services),
    ...registerLog(services),
    ...registerReveal(services),
    ...registerPlaceCommands(services),
    registerDuplicate(services),
    ...registerDiagnostics(services),
  );
