import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { runLabel } from '../runs/label';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { runFolderOf } from '../runs/nodes';
import { runsInTreeOrder } from './order';
import { runItem } from './run-item';
import { FROM_SELECTION, rowsFor } from '../runs/selection';
import { notify } from '../messages/notify';

/**
 * The runs for a command: those of its rows or folders (`rowsFor`); otherwise all runs if there are exactly as many as it takes; otherwise those picked from a list. Empty if the user
 * canceled, or after a message if there are none to choose from.
 */
export async function runsFrom(
  services: Services,
  args: readonly unknown[],
  choice: { title: string; filter?: (run: RunEntry) => boolean; least?: number },
): Promise<RunEntry[]> {
  const { store } = services;
  const suits = choice.filter ?? (() => true);
  const folders = new Set(rowsFor(args).flatMap(folderOf));
  if (folders.size >= (choice.least ?? 1)) {
    const runs = await Promise.all([...folders].map((f) => store.run(f) ?? store.refreshRun(f)));
    return runs.filter(suits);
  }
  if (args[0] === FROM_SELECTION) return [];
  return pickRuns(services, choice, suits, folders);
}

async function pickRuns(
  services: Services,
  { title, least = 1 }: { title: string; least?: number },
  suits: (run: RunEntry) => boolean,
  chosen: ReadonlySet<string>,
): Promise<RunEntry[]> {
  const runs = (await runsInTreeOrder(services)).filter(suits);
  if (runs.length < least) {
    const none =
      least > 1
        ? t('This needs at least {0} runs; the workspace has {1}.', least, runs.length)
        : t('There is no suitable run in this workspace.');
    void notify.information(none);
    return [];
  }
  if (runs.length === least) return runs;
  const items = runs.map((run) => ({ ...runItem(run), picked: chosen.has(run.folder) }));
  const picked = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: least > 1 ? t('Select at least {0}', least) : undefined,
    canPickMany: true,
    ignoreFocusOut: true,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (!picked) return [];
  if (picked.length >= least) return picked.map((p) => p.run);
  void notify.information(t('This needs at least {0} runs; {1} was selected.', least, picked.length));
  return [];
}

function folderOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  const folder = runFolderOf(value);
  return folder === undefined ? [] : [folder];
}

/** The names of runs for use in a sentence: "a", "b" and 3 more. */
export function namesOf(runs: readonly RunEntry[], most = 3): string {
  const names = runs.slice(0, most).map((r) => `"${runLabel(r)}"`);
  const rest = runs.length - names.length;
  return rest > 0 ? t('{0} and {1} more', names.join(', '), rest) : names.join(', ');
}
