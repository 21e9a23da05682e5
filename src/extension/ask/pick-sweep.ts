import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { experimentName } from '../../runs/layout';
import { isTreeNode } from '../runs/nodes';
import type { RunEntry, SweepEntry } from '../runs/store';
import type { Services } from '../services';
import { rowContext } from '../words/row-context';
import { sweepRow, trialsOf } from '../words/sweep-row';
import { notify } from '../messages/notify';

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
