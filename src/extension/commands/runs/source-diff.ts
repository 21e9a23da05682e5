import { basename } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { readIfThere } from '../../../files/read';
import { runPaths } from '../../../runs/layout';
import { COMMAND } from '../../ids';
import { runLabel } from '../../runs/label';
import type { Services } from '../../services';
import { registerGuarded } from '../../ask/guard';
import { runFrom } from '../../ask/pick';
import type { Contributes } from '../../manifest/declared';

export const contributes: Contributes = {
  commands: {
    showDifference: {
      title: 'Show Difference',
      palette: false,
    },
  },
};

const SCHEME = 'aurora-source';

/**
 * Shows the changes of an experiment's file since a run of it began, in VS Code's diff editor; the run's side is
 * read-only.
 */
export function registerSourceDiff(services: Services): vscode.Disposable[] {
  return [
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      provideTextDocumentContent: async (uri) =>
        (await readIfThere(runPaths(uri.query).source))?.toString('utf8'),
    }),
    registerGuarded(services.log, COMMAND.showDifference, async (argument) => {
      const run = await runFrom(services, argument, { title: t('Select a run') });
      if (!run) return;
      const file = vscode.Uri.file(run.experiment);
      const name = t('{0}: as in the run {1} ↔ now', basename(run.experiment), runLabel(run));
      const started = file.with({ scheme: SCHEME, query: run.folder });
      await vscode.commands.executeCommand('vscode.diff', started, file, name);
    }),
  ];
}
