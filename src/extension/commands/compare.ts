import type * as vscode from 'vscode';
import { registerGuarded } from '../ask/guard';
import { COMMAND } from '../ids';
import type { Services } from '../services';

/** The command that makes a comparison of methods from an experiment. */
export const registerCompare = (services: Services): vscode.Disposable =>
  registerGuarded(services.log, COMMAND.compareMethods, async (argument) =>
    (await import('./compare-methods')).compareMethods(services, argument),
  );
