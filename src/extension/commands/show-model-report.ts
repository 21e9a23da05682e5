import { basename } from 'node:path';
import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { markdownText } from '../../protocol/reports/markdown-text';
import { modelPath } from '../../files/model-path';
import { openReport } from '../notices/open-report';
import type { ReportPages } from '../notices/report-pages';
import { modelReport } from '../words/model-report';
import type { ModelInspector } from '../models/known-model';
import { withProgress } from '../messages/progress';

/** @param argument the model's Uri, as menus pass it */
export async function showReport(
  models: ModelInspector,
  pages: ReportPages,
  argument: unknown,
): Promise<void> {
  if (!(argument instanceof vscode.Uri)) return;
  const path = modelPath(argument.fsPath);
  const name = basename(path);
  const options = { location: vscode.ProgressLocation.Notification, title: t('Reading {0}…', name) };
  const read = await withProgress(options, () => models.look(path, {}).catch(refused));
  await openReport(pages.put(name, path, markdownText(modelReport(path, read))));
}

function refused(e: unknown): AuroraError {
  if (e instanceof AuroraError) return e;
  throw e;
}
