import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { experimentName } from '../../runs/layout';
import { runLabel } from '../../runs/run-labels';
import { LANGUAGE } from '../ids';
import { notify } from '../messages/notify';
import { FROM_SELECTION, isTreeNode, rowsFor, runFolderOf } from '../runs/nodes';
import { byName } from '../runs/run-sort';
import type { RunEntry, SweepEntry } from '../runs/store';
import type { Services } from '../services';
import { rowContext } from '../words/row-context';
import { sweepRow, trialsOf } from '../words/sweep-row';
import { runsInTreeOrder } from './tree-order';
import { runItem } from './run-item';

/**
 * The run for a command: its argument (a tree row or a run folder), otherwise the only suitable run, otherwise one
 * picked from a list. Undefined if the user canceled, or after a message if there are none to choose from.
 */
export async function runFrom(
  services: Services,
  argument: unknown,
  choice: { title: string; filter?: (run: RunEntry) => boolean },
): Promise<RunEntry | undefined> {
  const folder = typeof argument === 'string' ? argument : runFolderOf(argument);
  if (folder !== undefined) return services.store.run(folder) ?? services.store.refreshRun(folder);
  const runs = (await runsInTreeOrder(services)).filter(choice.filter ?? (() => true));
  if (runs.length === 0) {
    void notify.information(t('There is no suitable run in this workspace.'));
    return undefined;
  }
  if (runs.length === 1) return runs[0];
  const picked = await vscode.window.showQuickPick(runs.map(runItem), {
    title: choice.title,
    ignoreFocusOut: true,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.run;
}

/**
 * The experiment file for a command: a row, a file's Uri, a path, the open editor's file, or one picked from a list.
 */
export async function experimentFrom(
  { store }: Services,
  argument: unknown,
  title: string,
): Promise<string | undefined> {
  if (typeof argument === 'string') return argument;
  if (argument instanceof vscode.Uri) return argument.fsPath;
  if (isTreeNode(argument) && argument.kind === 'experiment') return argument.file;
  const open = vscode.window.activeTextEditor?.document;
  if (open?.languageId === LANGUAGE && open.uri.scheme === 'file') return open.uri.fsPath;
  const known = (await store.experiments()).filter((e) => e.exists).sort(byName);
  if (known.length === 0) {
    void notify.information(
      t('There are no experiments in this workspace. Create one with "AuroRA: New Experiment".'),
    );
    return undefined;
  }
  if (known.length === 1) return known[0].file;
  const items = known.map((e) => ({
    label: e.name,
    description: vscode.workspace.asRelativePath(e.file),
    file: e.file,
  }));
  return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.file;
}

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

/** A sweep and the runs of its trials. */
export interface SweepRuns {
  sweep: SweepEntry;
  runs: RunEntry[];
}

/**
 * The sweep for a command: its row, its folder, the only one of the workspace, or one picked from a list. Undefined if
 * the user canceled, or after a message if there are none to choose from.
 */
export async function sweepFrom(
  { store }: Services,
  argument: unknown,
  title: string,
): Promise<SweepRuns | undefined> {
  const all = (await store.experiments()).flatMap((e) =>
    e.sweeps.map((sweep): SweepRuns => ({ sweep, runs: trialsOf(sweep, e.runs) })),
  );
  const folder =
    typeof argument === 'string'
      ? argument
      : isTreeNode(argument) && argument.kind === 'sweep'
        ? argument.folder
        : undefined;
  if (folder !== undefined) return all.find(({ sweep }) => sweep.folder === folder);
  if (all.length === 0) void notify.information(t('There are no sweeps in this workspace.'));
  if (all.length < 2) return all[0];
  const items = all.map((one) => {
    const { label, description } = sweepRow(one.sweep, one.runs, rowContext());
    return { label: `${experimentName(one.sweep.experiment)} · ${label}`, description, one };
  });
  return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.one;
}
