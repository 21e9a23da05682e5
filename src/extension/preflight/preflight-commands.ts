import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { experimentName } from '../../runs/layout';
import { registerGuarded } from '../ask/guard';
import { experimentFrom } from '../ask/pick';
import { explaining } from '../ask/training-problems';
import { COMMAND } from '../ids';
import { preflightOf } from '../language/kept-preflight';
import type { Contributes } from '../manifest/declared';
import { notify } from '../messages/notify';
import { openReport } from '../notices/open-report';
import { ReportPages } from '../notices/report-pages';
import type { Services } from '../services';
import type { Preflights } from './preflights';

export const contributes: Contributes = {
  commands: {
    preflight: {
      title: 'Run Preflight',
      icon: 'checklist',
      palette: 'aurora.hasExperiments',
      menus: [
        { at: 'row', can: 'canRun', group: '1_run@2' },
        { at: 'explorer', of: 'experiment', group: 'aurora@2' },
        { at: 'editor', group: 'navigation@2' },
      ],
    },
    showPreflight: {
      title: 'Show Preflight Report',
      palette: 'aurora.hasExperiments',
      menus: [{ at: 'row', can: 'canEdit', group: '2_open@4' }],
    },
  },
};

/** The command that measures the cost of a run, and checks its data, before it starts. */
export function registerPreflight(services: Services): vscode.Disposable {
  const lost = t('This report was lost when its window closed. Run the preflight again.');
  const pages = new ReportPages(
    'aurora-preflight',
    lost,
    (file) => preflightOf(services.context, file)?.markdown,
  );
  let preflights: Preflights | undefined;
  return vscode.Disposable.from(
    pages,
    { dispose: () => preflights?.dispose() },
    registerGuarded(services.log, COMMAND.preflight, async (argument) => {
      const title = t('Select an experiment to check');
      const file = await experimentFrom(services, argument, title);
      if (file === undefined) return;
      const { Preflights } = await import('./preflights');
      preflights ??= new Preflights(services, pages);
      await explaining(() => preflights!.run(file));
    }),
    registerGuarded(services.log, COMMAND.showPreflight, async (argument) => {
      const title = t('Select an experiment to show its last preflight');
      const file = await experimentFrom(services, argument, title);
      if (file === undefined) return;
      if (preflightOf(services.context, file))
        return openReport(pages.page(`${experimentName(file)} preflight`, file));
      const run = t('Run Preflight');
      const message = t('{0} has had no preflight yet.', experimentName(file));
      if ((await notify.information(message, run)) === run)
        await vscode.commands.executeCommand(COMMAND.preflight, file);
    }),
  );
}
