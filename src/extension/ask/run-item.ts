import type * as vscode from 'vscode';
import { experimentName } from '../../runs/layout';
import { shortId } from '../runs/label';
import type { RunEntry } from '../runs/store';
import { rowContext } from '../words/row-context';
import { runRow } from '../words/run-row';

export type RunItem = vscode.QuickPickItem & { run: RunEntry };

/** A run as a quick pick item, described as in the tree. */
export function runItem(run: RunEntry): RunItem {
  const { lead = '', label, description, icon } = runRow(run, rowContext());
  const experiment = experimentName(run.experiment);
  const short = shortId(run.id) ?? '';
  return {
    label: `$(${icon.id}) ${label}`,
    description: [experiment, `${lead} ${description}`.trim(), label.endsWith(short) ? '' : short]
      .filter((part) => part !== '')
      .join(' · '),
    detail: noteAndTags(run),
    run,
  };
}

function noteAndTags({ user }: RunEntry): string | undefined {
  const parts = [user.note, ...(user.tags ?? []).map((tag) => `$(tag) ${tag}`)];
  return parts.filter((part) => part !== undefined).join(' ') || undefined;
}
