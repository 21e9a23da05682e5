import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { registerGuarded } from '../ask/guard';
import { COMMAND } from '../ids';
import type { Contributes } from '../manifest/declared';
import { ReportPages } from '../notices/report-pages';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    showModelReport: {
      title: 'Show Model Report',
      palette: false,
      menus: [{ at: 'model', group: '2_open@3' }],
    },
  },
};

/** The command that shows the report of `aurora inspect` on a model as a document. */
export function registerModelReport({ log, models }: Services): vscode.Disposable {
  const lost = t('This report was lost with its window. Open it again from the Models view.');
  const pages = new ReportPages('aurora-model', lost);
  return vscode.Disposable.from(
    pages,
    registerGuarded(log, COMMAND.showModelReport, async (argument) =>
      (await import('./show-model-report')).showReport(models, pages, argument),
    ),
  );
}
