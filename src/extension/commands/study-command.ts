import type * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { registerGuarded } from '../ask/guard';
import { experimentFrom, runsFrom } from '../ask/pick';
import { COMMAND } from '../ids';
import type { Contributes } from '../manifest/declared';
import { isTreeNode, rowsFor } from '../runs/nodes';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    openStudy: {
      title: 'Open Study',
      icon: 'beaker',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canStudy', several: true, group: '2_open@5' }],
    },
  },
};

/** The command that compares runs: those selected, or all of an experiment. */
export const registerStudy = (services: Services): vscode.Disposable =>
  registerGuarded(services.log, COMMAND.openStudy, async (...args) => {
    const [argument] = args;
    const { panels } = services;
    const isOfRuns = isTreeNode(argument) ? argument.kind !== 'experiment' : Array.isArray(argument);
    if (isOfRuns || rowsFor(args).length > 1) {
      const title = t('Select the runs to compare in a study');
      const runs = await runsFrom(services, args, { title, filter: (r) => r.run !== undefined, least: 2 });
      if (runs.length > 0) panels.openStudy({ runs: runs.map((r) => r.folder) });
      return;
    }
    const file = await experimentFrom(services, argument, t('Select an experiment to study its runs'));
    if (file !== undefined) panels.openStudy({ experiment: file });
  });
