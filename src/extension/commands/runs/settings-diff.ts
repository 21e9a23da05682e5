import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { runPaths } from '../../../runs/layout';
import { COMMAND } from '../../ids';
import { runLabel } from '../../runs/label';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { registerGuarded } from '../../ask/guard';
import { runFrom } from '../../ask/pick';
import { runsFrom } from '../../ask/pick-many';
import { sortedJson } from '../../../base/sorted-json';

const SCHEME = 'aurora-settings';
const SOURCE_SCHEME = 'aurora-source';

/** The settings of two runs in VS Code's diff editor, read-only, since a run's spec never changes. */
export function registerSettingsDiff(services: Services): vscode.Disposable[] {
  const provider: vscode.TextDocumentContentProvider = {
    provideTextDocumentContent: async (uri) =>
      `${sortedJson(JSON.parse(await readFile(runPaths(uri.query).spec, 'utf8')), 2)}\n`,
  };
  const source: vscode.TextDocumentContentProvider = {
    provideTextDocumentContent: (uri) => readFile(runPaths(uri.query).source, 'utf8'),
  };
  return [
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, provider),
    vscode.workspace.registerTextDocumentContentProvider(SOURCE_SCHEME, source),
    registerGuarded(services.log, COMMAND.showDifference, async (argument) => {
      const run = await runFrom(services, argument, { title: vscode.l10n.t('Select a run') });
      if (!run) return;
      const file = vscode.Uri.file(run.experiment);
      const name = vscode.l10n.t('{0}: as in the run {1} ↔ now', basename(run.experiment), runLabel(run));
      const started = file.with({ scheme: SOURCE_SCHEME, query: run.folder });
      await vscode.commands.executeCommand('vscode.diff', started, file, name);
    }),
    registerGuarded(services.log, COMMAND.compareSettings, async (...args) => {
      const title = vscode.l10n.t('Select two runs to compare their settings');
      const runs = await runsFrom(services, args, { title, filter: (r) => r.run !== undefined, least: 2 });
      if (runs.length === 0) return;
      if (runs.length > 2) {
        const message = vscode.l10n.t(
          'Select exactly two runs to compare their settings; {0} are selected.',
          runs.length,
        );
        return void vscode.window.showInformationMessage(message);
      }
      const [older, newer] = [...runs].sort((a, b) => (a.id < b.id ? -1 : 1));
      const name = vscode.l10n.t('Settings: {0} ↔ {1}', runLabel(older), runLabel(newer));
      await vscode.commands.executeCommand('vscode.diff', settingsUri(older), settingsUri(newer), name);
    }),
  ];
}

const settingsUri = (run: RunEntry): vscode.Uri =>
  vscode.Uri.from({ scheme: SCHEME, path: `/${run.id}/spec.json`, query: run.folder });
