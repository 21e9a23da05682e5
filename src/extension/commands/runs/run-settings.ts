import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { sortedJson } from '../../../base/sorted-json';
import { differing } from '../../../experiment/differing-settings';
import { readIfThere } from '../../../files/read';
import { runPaths } from '../../../runs/layout';
import { runLabel } from '../../../runs/run-labels';
import { MOST_BYTES, SUMMARY_PARSERS } from '../../../runs/run-summary';
import { registerGuarded } from '../../ask/guard';
import { runFrom, runsFrom } from '../../ask/pick';
import { COMMAND } from '../../ids';
import type { Contributes } from '../../manifest/declared';
import { notify } from '../../messages/notify';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';

export const contributes: Contributes = {
  commands: {
    compareSettings: {
      title: 'Compare Run Settings',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canOpen', several: true, group: '2_open@6' }],
    },
    openSettings: {
      title: 'Open Run Settings',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canOpen', group: '2_open@6' }],
    },
  },
};

const SCHEME = 'aurora-settings';

/** The last argument to compare equal settings too. */
export const ALL_SETTINGS = 'all';

/** The settings of one run, or those in which two differ in VS Code's diff editor: read-only, since they never change. */
export function registerSettings(services: Services): vscode.Disposable[] {
  const provider: vscode.TextDocumentContentProvider = {
    provideTextDocumentContent: async (uri) => {
      const [own, other] = await Promise.all((JSON.parse(uri.query) as string[]).map(readSpec));
      const shown = other === undefined ? own : differing(own!, other);
      return `${sortedJson(shown, 2)}\n`;
    },
  };
  return [
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, provider),
    registerGuarded(services.log, COMMAND.openSettings, async (argument) => {
      const title = t('Select a run to show its settings');
      const run = await runFrom(services, argument, { title, filter: (r) => r.run !== undefined });
      if (run) await vscode.window.showTextDocument(settingsUri(run));
    }),
    registerGuarded(services.log, COMMAND.compareSettings, async (...given) => {
      const all = given.at(-1) === ALL_SETTINGS;
      const args = all ? given.slice(0, -1) : given;
      const title = t('Select two runs to compare their settings');
      const runs = await runsFrom(services, args, { title, filter: (r) => r.run !== undefined, least: 2 });
      if (runs.length === 0) return;
      if (runs.length > 2) {
        const message = t(
          'Select exactly two runs to compare their settings; {0} are selected.',
          runs.length,
        );
        return void notify.information(message);
      }
      const [older, newer] = [...runs].sort((a, b) => (a.id < b.id ? -1 : 1));
      const name = t('Settings: {0} ↔ {1}', runLabel(older), runLabel(newer));
      const equal = !all && !(await differ(older, newer));
      if (equal && !(await askedForAll(older, newer))) return;
      const sides =
        all || equal
          ? [settingsUri(older), settingsUri(newer)]
          : [settingsUri(older, newer), settingsUri(newer, older)];
      await vscode.commands.executeCommand('vscode.diff', ...sides, name);
    }),
  ];
}

/** @param other the run that it is compared with: equal settings are left out */
const settingsUri = (run: RunEntry, other?: RunEntry): vscode.Uri =>
  vscode.Uri.from({
    scheme: SCHEME,
    path: `/${run.id}/spec.json`,
    query: JSON.stringify([run.folder, ...(other ? [other.folder] : [])]),
  });

async function differ(one: RunEntry, other: RunEntry): Promise<boolean> {
  const [a, b] = [await readSpec(one.folder), await readSpec(other.folder)];
  // A setting may be in one of them alone.
  return Object.keys({ ...differing(a, b), ...differing(b, a) }).length > 0;
}

/** Reports that there is nothing to compare. */
async function askedForAll(one: RunEntry, other: RunEntry): Promise<boolean> {
  const show = t('Show All Settings');
  const message = t('{0} and {1} have the same settings.', runLabel(one), runLabel(other));
  return (await notify.information(message, show)) === show;
}

const readSpec = async (run: string): Promise<object> =>
  SUMMARY_PARSERS.spec(run, await readIfThere(runPaths(run).spec, MOST_BYTES.spec));
