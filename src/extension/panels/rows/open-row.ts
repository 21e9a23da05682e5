import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { AuroraError } from '../../../base/errors';
import { t } from '../../../base/l10n';
import { formatOf } from '../../../table/data-files';
import { imageFiles } from '../../../table/image-files';
import { namedRow } from '../../../protocol/row-place';
import { askForRow } from '../../data-worker/ask-data-worker';
import { opensWell } from '../../data-worker/data-row';
import { kindOf } from '../../language/checks/check-files';
import { ROW_SCHEME } from './data-rows';

/** A row of an image folder is an image. */
async function openImage(folder: string, row: number): Promise<void> {
  const path = (await imageFiles(folder))[row - 1];
  if (path === undefined)
    throw new AuroraError(
      'data',
      t('Image {1} is no longer in {0}.', folder, row),
      t('Predict again to use the current images.'),
    );
  const beside = { viewColumn: vscode.ViewColumn.Beside };
  await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(join(folder, path)), beside);
}

/** Opens the data file at the line beside the panel; for a compressed or very large file, only the row. */
export async function openDataRow(file: string, line: number): Promise<void> {
  if ((await kindOf(file)) === 'folder') return openImage(file, line);
  const plain = await opensWell(file);
  if (!plain) await askForRow({ file, line });
  const json = ['jsonl', 'json', 'parquet'].includes(formatOf(file) ?? '');
  const name = namedRow(basename(file), line) + (json ? '.json' : '.txt');
  const uri = plain
    ? vscode.Uri.file(file)
    : vscode.Uri.from({ scheme: ROW_SCHEME, path: `/${name}`, query: JSON.stringify({ file, line }) });
  const at = plain ? new vscode.Range(line - 1, 0, line - 1, 0) : undefined;
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, selection: at });
}
