import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { AuroraError } from '../../../base/errors';
import { t } from '../../../base/l10n';
import { withSettings } from '../../../runs/experiment/use-settings';
import { runLabel } from '../../../runs/run-labels';
import { runFrom } from '../../ask/pick';
import type { Services } from '../../services';

/** Writes the settings in which a run differs into its experiment's file: one edit, which is not saved and can be undone. */
export async function useSettings(services: Services, argument: unknown): Promise<void> {
  const run = await runFrom(services, argument, {
    title: t('Select the run whose settings to use'),
    filter: (r) => r.run !== undefined,
  });
  if (!run?.run) return;
  const file = run.experiment;
  if (!existsSync(file))
    throw new AuroraError(
      'run',
      t('{0} no longer exists.', file),
      t('Open Run Settings shows all settings of the run; save them as a new experiment.'),
    );
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
  const before = document.getText();
  const after = withSettings(file, before, run.run.spec);
  await vscode.window.showTextDocument(document);
  if (after === before)
    return void vscode.window.setStatusBarMessage(
      t('{0} already has the settings of {1}.', basename(file), runLabel(run)),
      SHOWN_MS,
    );
  const { offset, length, content } = difference(before, after);
  const edit = new vscode.WorkspaceEdit();
  const range = new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
  edit.replace(document.uri, range, content);
  if (!(await vscode.workspace.applyEdit(edit)))
    throw new AuroraError('run', t('The editor could not change {0}.', basename(file)));
  vscode.window.setStatusBarMessage(
    t('{0} has the settings of {1}. Use Undo to revert it.', basename(file), runLabel(run)),
    SHOWN_MS,
  );
}

const SHOWN_MS = 8000;

/** The shortest part of a document that has to be replaced, so that folds and the cursor stay. */
function difference(before: string, after: string): { offset: number; length: number; content: string } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  return {
    offset: start,
    length: before.length - start - end,
    content: after.slice(start, after.length - end),
  };
}
