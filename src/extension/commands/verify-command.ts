import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { registerGuarded } from '../ask/guard';
import { experimentFrom } from '../ask/pick';
import { explaining } from '../ask/training-problems';
import { COMMAND } from '../ids';
import type { Contributes } from '../manifest/declared';
import { ReportPages } from '../notices/report-pages';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    verifyEngines: {
      title: 'Verify Experiment on Both Engines',
      icon: 'verified',
      palette: 'aurora.hasExperiments',
    },
  },
};

/** The command that runs an experiment's first batch on both engines and reports where they differ. */
export function registerVerify(services: Services): vscode.Disposable {
  const lost = t('This report was lost when its window closed. Verify the experiment again.');
  const pages = new ReportPages('aurora-verify', lost);
  return vscode.Disposable.from(
    pages,
    registerGuarded(services.log, COMMAND.verifyEngines, async (argument) => {
      const file = await experimentFrom(services, argument, t('Select an experiment to verify'));
      if (file === undefined) return;
      const { verify } = await import('./verify-engines');
      await explaining(() => verify(services, pages, file));
    }),
  );
}
