import * as vscode from 'vscode';
import type { Services } from '../../services';
import { registerDeleteCommands } from './delete';
import { registerDiagnostics } from './diagnostics';
import { registerEditCommands } from './edit';
import { registerErrors } from '../errors';
import { registerStudy } from '../study';
import { registerLog } from './log';
import { registerOpenCommands } from './open';
import { registerReveal } from './reveal';
import { registerSettingsDiff } from './settings-diff';
import { registerRunsTable } from './table';

/** All commands on runs except training. */
export const registerRunCommands = (services: Services): vscode.Disposable =>
  vscode.Disposable.from(
    ...registerOpenCommands(services),
    registerErrors(services),
    registerStudy(services),
    registerRunsTable(services),
    ...registerEditCommands(services),
    ...registerDeleteCommands(services),
    ...registerSettingsDiff(services),
    ...registerLog(services),
    ...registerReveal(services),
    ...registerDiagnostics(services),
  );
