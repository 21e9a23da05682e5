import * as vscode from 'vscode';
import { COMMAND } from '../../ids';
import type { Services } from '../../services';
import { registerGuarded } from '../../ask/guard';

/** The last argument to compare equal settings too. */
export const ALL_SETTINGS = 'all';

/** The settings of one run, or those in which two differ in VS Code's diff editor: read-only, since they never change. */
export function registerSettings(services: Services): vscode.Disposable[] {
  const shown = () => import('./shown-settings');
  return [
    vscode.workspace.registerTextDocumentContentProvider('aurora-settings', {
      provideTextDocumentContent: async (uri) => (await shown()).settingsText(uri),
    }),
    registerGuarded(services.log, COMMAND.openSettings, async (argument) =>
      (await shown()).openSettings(services, argument),
    ),
    registerGuarded(services.log, COMMAND.compareSettings, async (...given) => {
      const all = given.at(-1) === ALL_SETTINGS;
      await (await shown()).compareSettings(services, all ? given.slice(0, -1) : given, all);
    }),
  ];
}
