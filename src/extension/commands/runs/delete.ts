import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { NumberReader } from '../../../runs/numbers';
import { listTrashedSweeps, type TrashedSweep } from '../../../runs/sweep/sweep-trash';
import { listTrash, restoreRun, trashOf, trashRun, type TrashedRun } from '../../../runs/trash';
import { COMMAND } from '../../ids';
import { labelOfId, runLabel } from '../../runs/label';
import { isTreeNode, type SweepNode, FROM_SELECTION, rowsFor, selectedRows } from '../../runs/nodes';
import { isActive, isOnCluster } from '../../runs/shown-state';
import type { RunEntry } from '../../runs/store';
import { TrackedRun } from '../../runs/tracked-run';
import type { Services } from '../../services';
import { ago } from '../../words/format';
import { headline } from '../../words/run-row';
import { trialsText } from '../../words/sweep-row';
import { showError } from '../../ask/guard';
import { confirmDeletion } from '../../ask/confirm-deletion';
import { namesOf, runsFrom } from '../../ask/pick';
import { notify } from '../../messages/notify';
import { withProgress } from '../../messages/progress';

/** Deletes runs, or the sweep that is selected: asks first, moves them to the trash beside the runs, and can be undone. */
export async function deleteRuns(services: Services, args: readonly unknown[]): Promise<void> {
  const sweep = selectedSweep(args);
  if (sweep) {
    await vscode.commands.executeCommand(COMMAND.deleteSweep, sweep);
    return;
  }
  const rows = deletable(args);
  if (rows?.length === 0) return;
  const title = t('Select the runs to delete');
  const runs = await runsFrom(services, rows ? [rows] : args, { title });
  if (runs.length === 0 || !(await stopFirst(services, runs)) || !(await confirm(runs))) return;
  await remove(services, runs);
}

/** Moves deleted runs and sweeps, which the user selects, back to where they were. */
export async function restoreDeleted(services: Services): Promise<void> {
  const picked = await pickTrashed(services);
  for (const trashed of picked) {
    if (!('trials' in trashed)) await restore(services, trashed);
    else await (await import('../delete-sweep')).restore(services, trashed);
  }
}

/** The Delete key on a sweep's row. */
function selectedSweep([argument]: readonly unknown[]): SweepNode | undefined {
  const rows = argument === FROM_SELECTION ? selectedRows() : [];
  return rows.length === 1 && rows[0].kind === 'sweep' ? rows[0] : undefined;
}

/**
 * The selected rows that are runs: the row of a checkpoint or an export must not delete the run that it belongs to. Undefined
 * without rows.
 */
function deletable(args: readonly unknown[]): unknown[] | undefined {
  if (args[0] === undefined) return undefined;
  return rowsFor(args).filter((row) => !isTreeNode(row) || row.kind === 'run');
}

/** A run in training is not deleted. */
async function stopFirst({ store, trainer }: Services, runs: readonly RunEntry[]): Promise<boolean> {
  const elsewhere = runs.filter(isOnCluster);
  if (elsewhere.length > 0) {
    const message = t('{0} cannot be deleted while it is on a cluster.', namesOf(elsewhere));
    const detail = t('Use Stop Run first: its job would create the run again.');
    await notify.warning(message, { modal: true, detail });
    return false;
  }
  const active = runs.filter((r) => isActive(r.state));
  if (active.length === 0) return true;
  const stop = t('Stop');
  const answer = await notify.warning(
    active.length === 1
      ? t('{0} is still being trained.', namesOf(active))
      : t('{0} are still being trained.', namesOf(active)),
    {
      modal: true,
      detail: t('A run cannot be deleted while it is being trained. Stopping saves it first.'),
    },
    stop,
  );
  if (answer !== stop) return false;
  await withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: t('Stopping {0}…', namesOf(active)),
    },
    () => Promise.all(active.map((r) => trainer.stop(r.folder))),
  );
  const after = await Promise.all(active.map((r) => store.refreshRun(r.folder)));
  return after.every((r) => !isActive(r.state));
}

function confirm(runs: readonly RunEntry[]): Promise<boolean> {
  const places = [...new Set(runs.map((r) => trashOf(r.folder)))].join(', ');
  const question =
    runs.length === 1
      ? t('Delete the run {0}?', namesOf(runs))
      : t('Delete {0} runs: {1}?', runs.length, namesOf(runs, 10));
  const detail =
    runs.length === 1
      ? t('It will be moved to {0}. To get it back, use "AuroRA: Restore Deleted Run".', places)
      : t('They will be moved to {0}. To get them back, use "AuroRA: Restore Deleted Run".', places);
  const keep = runs.length === 1 ? t('Keep Run') : t('Keep Runs');
  return confirmDeletion(question, detail, keep);
}

async function remove(services: Services, runs: readonly RunEntry[]): Promise<void> {
  const trashed: TrashedRun[] = [];
  for (const run of runs) {
    try {
      trashed.push(await trashRun(run.folder));
    } catch (e) {
      showError(services.log, e);
    }
    await lookAgain(services, run.folder);
  }
  if (trashed.length === 0) return;
  const undo = t('Undo');
  const gone = runs.filter((r) => trashed.some((t) => t.from === r.folder));
  const message = t('Deleted {0}.', namesOf(gone));
  // Not awaited: the command is done, and the message may stay for a long time.
  void notify.information(message, undo).then(async (answer) => {
    if (answer !== undo) return;
    for (const t of trashed)
      // The command may have restored one in the meantime.
      if (existsSync(t.folder)) await restore(services, t).catch((e) => showError(services.log, e));
  });
}

async function restore(services: Services, trashed: TrashedRun): Promise<void> {
  await lookAgain(services, await restoreRun(trashed));
}

/** A deleted run has no entry, but the store has noticed it. */
const lookAgain = ({ store }: Services, folder: string) =>
  store.refreshRun(folder).then(
    () => undefined,
    () => undefined,
  );

/** The run as described in the tree before it was deleted. */
async function entryOf(folder: string): Promise<RunEntry | undefined> {
  const run = new TrackedRun(folder);
  await run.look();
  return run.entry;
}

type TrashedItem = vscode.QuickPickItem & { trashed: TrashedRun | TrashedSweep };

async function pickTrashed({ store }: Services): Promise<(TrashedRun | TrashedSweep)[]> {
  const roots = (vscode.workspace.workspaceFolders ?? []).map((f) => f.uri.fsPath);
  const places = new Set([...roots, ...(await store.experiments()).map((e) => dirname(e.file))]);
  const trashes = [...places].map((p) => join(p, '.aurora', 'trash'));
  const sweeps = (await Promise.all(trashes.map(listTrashedSweeps))).flat();
  // Trials of a deleted sweep are restored with it.
  const trials = new Set(sweeps.flatMap((s) => s.trials));
  const lists = await Promise.all(trashes.map(listTrash));
  const all = lists
    .flat()
    .filter((r) => !trials.has(r.folder))
    .sort((a, b) => b.deletedAt - a.deletedAt);
  if (all.length === 0 && sweeps.length === 0) {
    void notify.information(t('There are no deleted runs in this workspace.'));
    return [];
  }
  const runs = await Promise.all(all.map(({ folder }) => entryOf(folder)));
  // A number stays with its run in the trash.
  const homes = [...new Set(all.map(({ from }) => dirname(from)))];
  const numbers = new Map(
    await Promise.all(homes.map(async (home) => [home, await new NumberReader(home).look()] as const)),
  );
  const numbered = ({ from }: TrashedRun) => {
    const number = numbers.get(dirname(from))?.get(basename(from));
    return number === undefined ? {} : { number };
  };
  const deleted = (at: number) => t('Deleted {0}', ago(at, Date.now(), vscode.env.language));
  const ofSweeps = sweeps.map((trashed) => ({
    label: t('Sweep · {0}', basename(trashed.from).slice(0, 4)),
    description: [basename(dirname(trashed.from)), trialsText(trashed.trials.length)].join(' · '),
    detail: deleted(trashed.deletedAt),
    picked: false,
    trashed,
  }));
  const ofRuns = all.map((trashed, i) => ({
    label: runs[i] ? runLabel({ ...runs[i], ...numbered(trashed) }) : labelOfId(trashed.label),
    description: [basename(dirname(trashed.from)), (runs[i] && headline(runs[i])) ?? '']
      .filter((part) => part !== '')
      .join(' · '),
    detail: deleted(trashed.deletedAt),
    picked: false,
    trashed,
  }));
  const items: TrashedItem[] = [...ofSweeps, ...ofRuns];
  if (items.length === 1) items[0].picked = true;
  const title = t('Select the runs to restore');
  const options = { title, canPickMany: true as const, ignoreFocusOut: true, matchOnDescription: true };
  return ((await vscode.window.showQuickPick(items, options)) ?? []).map((p) => p.trashed);
}
