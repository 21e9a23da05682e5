import * as vscode from 'vscode';
import { readIfThere } from '../../../files/read';
import { runPaths } from '../../../runs/layout';
import { MOST_BYTES, SUMMARY_PARSERS } from '../../../runs/read';
import { runLabel } from '../../runs/label';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { runFrom } from '../../ask/pick';
import { runsFrom } from '../../ask/pick-many';
import { sortedJson } from '../../../base/sorted-json';
import { differing } from '../../../experiment/differing-settings';
import { notify } from '../../messages/notify';

/** What an address of `settingsUri` shows. */
export async function settingsText({ query }: vscode.Uri): Promise<string> {
  const [own, other] = await Promise.all((JSON.parse(query) as string[]).map(readSpec));
  const shown = other === undefined ? own : differing(own!, other);
  return `${sortedJson(shown, 2)}\n`;
}

export async function openSettings(services: Services, argument: unknown): Promise<void> {
  const title = vscode.l10n.t('Select a run to show its settings');
  const run = await runFrom(services, argument, { title, filter: (r) => r.run !== undefined });
  if (run) await vscode.window.showTextDocument(settingsUri(run));
}

/** @param all shows equal settings too */
export async function compareSettings(services: Services, args: unknown[], all: boolean): Promise<void> {
  const title = vscode.l10n.t('Select two runs to compare their settings');
  const runs = await runsFrom(services, args, { title, filter: (r) => r.run !== undefined, least: 2 });
  if (runs.length === 0) return;
  if (runs.length > 2) {
    const message = vscode.l10n.t(
      'Select exactly two runs to compare their settings; {0} are selected.',
      runs.length,
    );
    return void notify.information(message);
  }
  const [older, newer] = [...runs].sort((a, b) => (a.id < b.id ? -1 : 1));
  const name = vscode.l10n.t('Settings: {0} ↔ {1}', runLabel(older), runLabel(newer));
  const equal = !all && !(await differ(older, newer));
  if (equal && !(await askedForAll(older, newer))) return;
  const sides =
    all || equal
      ? [settingsUri(older), settingsUri(newer)]
      : [settingsUri(older, newer), settingsUri(newer, older)];
  await vscode.commands.executeCommand('vscode.diff', ...sides, name);
}

/** @param other the run that it is compared with: what is equal in both is left out */
const settingsUri = (run: RunEntry, other?: RunEntry): vscode.Uri =>
  vscode.Uri.from({
    scheme: 'aurora-settings',
    path: `/${run.id}/spec.json`,
    query: JSON.stringify([run.folder, ...(other ? [other.folder] : [])]),
  });

async function differ(one: RunEntry, other: RunEntry): Promise<boolean> {
  const [a, b] = [await readSpec(one.folder), await readSpec(other.folder)];
  // A setting may be in one of them alone.
  return Object.keys({ ...differing(a, b), ...differing(b, a) }).length > 0;
}

/** Says that there is nothing to compare. */
async function askedForAll(one: RunEntry, other: RunEntry): Promise<boolean> {
  const show = vscode.l10n.t('Show All Settings');
  const message = vscode.l10n.t('{0} and {1} have the same settings.', runLabel(one), runLabel(other));
  return (await notify.information(message, show)) === show;
}

const readSpec = async (run: string): Promise<object> =>
  SUMMARY_PARSERS.spec(run, await readIfThere(runPaths(run).spec, MOST_BYTES.spec));
