import { basename } from 'node:path';
import * as vscode from 'vscode';
import { formatOf } from '../../../table/files';
import { namedRow } from '../../../protocol/row-place';
import { askForRow, type AskedRow } from '../../data-worker/ask';
import { opensWell } from '../../data-worker/data-row';

/** Read-only documents with one row of a data file each, identified by the query. */
const SCHEME = 'aurora-data-row';

/** Registered once. */
export const dataRows = (): vscode.Disposable =>
  vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    provideTextDocumentContent(uri) {
      return askForRow(JSON.parse(uri.query) as AskedRow);
    },
  });

/** Opens the data file at the line beside the panel; for a compressed or very large file, only the row. */
export async function openDataRow(file: string, line: number): Promise<void> {
  const plain = await opensWell(file);
  if (!plain) await askForRow({ file, line });
  const json = ['jsonl', 'json', 'parquet'].includes(formatOf(file) ?? '');
  const name = namedRow(basename(file), line, vscode.l10n.t) + (json ? '.json' : '.txt');
  const uri = plain
    ? vscode.Uri.file(file)
    : vscode.Uri.from({ scheme: SCHEME, path: `/${name}`, query: JSON.stringify({ file, line }) });
  const at = plain ? new vscode.Range(line - 1, 0, line - 1, 0) : undefined;
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, selection: at });
}
