import type * as vscode from 'vscode';
import { experimentName } from '../../runs/layout';
import type { RunEntry } from '../runs/store';
import { rowContext } from '../words/row-context';
import { runRow } from '../words/run-row';

export type RunItem = vscode.QuickPickItem & { run: RunEntry };

/** A run as a quick pick item, described as in the tree. */
export function runItem(run: RunEntry): RunItem {
  const { label, description, icon } = runRow(run, rowContext());
  const experiment = experimentName(run.experiment);
  return {
    label: `$(${icon.id}) ${label}`,
    description: [experiment, description].filter((part) => part !== '').join(' · '),
    detail: run.user.note,
    run,
  };
}
