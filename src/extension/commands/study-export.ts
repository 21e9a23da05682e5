import { join } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { writeAtomic } from '../../files/atomic';
import { openReport } from '../notices/open-report';

/** Asks for a folder, writes a study's report into a new subfolder, and shows it. */
export async function exportStudy(title: string, files: ReadonlyMap<string, string>): Promise<void> {
  const [folder] =
    (await vscode.window.showOpenDialog({
      title: t('Select a folder for the report'),
      openLabel: t('Export Here'),
      canSelectFiles: false,
      canSelectFolders: true,
      defaultUri: vscode.workspace.workspaceFolders?.[0]?.uri,
    })) ?? [];
  if (!folder) return;
  const name = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-');
  const target = join(folder.fsPath, name);
  for (const [path, text] of files) writeAtomic(join(target, path), text);
  await openReport(vscode.Uri.file(join(target, 'report.md')));
}
