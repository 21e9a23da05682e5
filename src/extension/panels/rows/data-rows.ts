import * as vscode from 'vscode';
import type { AskedRow } from '../../data-worker/data-questions';

/** Read-only documents with one row of a data file each, identified by the query. */
export const ROW_SCHEME = 'aurora-data-row';

/** Registered once. */
export const dataRows = (): vscode.Disposable =>
  vscode.workspace.registerTextDocumentContentProvider(ROW_SCHEME, {
    async provideTextDocumentContent(uri) {
      const { askForRow } = await import('../../data-worker/ask-data-worker');
      return askForRow(JSON.parse(uri.query) as AskedRow);
    },
  });
