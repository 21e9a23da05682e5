import * as vscode from 'vscode';
import { registerGuarded } from '../ask/guard';
import { experimentFrom } from '../ask/pick';
import { explaining } from '../ask/training-problems';
import { COMMAND } from '../ids';
import { ReportPages } from '../notices/report-pages';
import type { Services } from '../services';
import type { Preflights } from './preflights';

/** The command that measures what a run would take, and checks its data, before it starts. */
export function registerPreflight(services: Services): vscode.Disposable {
  const lost = vscode.l10n.t('This report was lost when its window closed. Run the preflight again.');
  const pages = new ReportPages('aurora-preflight', lost);
  let preflights: Preflights | undefined;
  return vscode.Disposable.from(
    pages,
    { dispose: () => preflights?.dispose() },
    registerGuarded(services.log, COMMAND.preflight, async (argument) => {
      const title = vscode.l10n.t('Select an experiment to check');
      const file = await experimentFrom(services, argument, title);
      if (file === undefined) return;
      const { Preflights } = await import('./preflights');
      preflights ??= new Preflights(services, pages);
      await explaining(() => preflights!.run(file));
    }),
  );
}
