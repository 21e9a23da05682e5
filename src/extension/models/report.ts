import { basename } from 'node:path';
import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { modelPath } from '../../files/model-path';
import { registerGuarded } from '../ask/guard';
import { COMMAND } from '../ids';
import { openReport } from '../notices/open-report';
import { ReportPages } from '../notices/report-pages';
import type { Services } from '../services';
import { modelReport } from '../words/refusal-text';

/** The command that shows what `aurora inspect` says about a model as a document. */
export function registerModelReport({ log, models }: Services): vscode.Disposable {
  const { t } = vscode.l10n;
  const lost = t('This report was lost when its window closed. Open it again from the Models view.');
  const pages = new ReportPages('aurora-model', lost);
  return vscode.Disposable.from(
    pages,
    registerGuarded(log, COMMAND.showModelReport, async (argument) => {
      if (!(argument instanceof vscode.Uri)) return;
      const path = modelPath(argument.fsPath);
      const name = basename(path);
      const title = t('Reading {0}…', name);
      const read = await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title },
        () => models.report(path).catch(refused),
      );
      await openReport(pages.put(name, path, modelReport(path, read, t)));
    }),
  );
}

function refused(e: unknown): AuroraError {
  if (e instanceof AuroraError) return e;
  throw e;
}
