import type * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { runLabel } from '../../runs/run-labels';
import { registerGuarded } from '../ask/guard';
import { runFrom } from '../ask/pick';
import { COMMAND } from '../ids';
import type { Contributes } from '../manifest/declared';
import { notify } from '../messages/notify';
import { bestEvaluation, checkpointSteps } from '../runs/label';
import { isTreeNode } from '../runs/nodes';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    openErrors: {
      title: 'Show Errors',
      icon: 'list-filter',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canShowErrors', group: '2_open@3' }],
    },
  },
};

/** The command that shows the errors of a run's best state, or of one of its checkpoints. */
export const registerErrors = (services: Services): vscode.Disposable =>
  registerGuarded(services.log, COMMAND.openErrors, async (argument) => {
    const run = await runFrom(services, argument, {
      title: t('Select a run to show its errors'),
      filter: ({ run }) => run !== undefined && bestEvaluation(run) !== undefined,
    });
    if (run) showErrors(services, run, atOf(argument));
  });

/** A checkpoint's step, or the adapter that a row represents; otherwise the best. */
function atOf(argument: unknown): 'best' | 'last' | number {
  if (isTreeNode(argument) && argument.kind === 'checkpoint') return argument.step;
  return isTreeNode(argument) && argument.kind === 'adapter' ? argument.which : 'best';
}

function showErrors(services: Services, entry: RunEntry, at: 'best' | 'last' | number): void {
  const step = typeof at === 'number' ? at : entry.run && stepOf(entry.run, at);
  if (step === undefined) {
    const message = t(
      '{0} has not been evaluated yet, so there are no errors to show. The first evaluation is at the end of the first epoch, or as set by training.evaluateEvery.',
      runLabel(entry),
    );
    void notify.information(message);
    return;
  }
  services.panels.openErrors(entry.folder, step, 'validation');
}

const stepOf = (run: NonNullable<RunEntry['run']>, at: 'best' | 'last'): number | undefined =>
  at === 'best' ? bestEvaluation(run)?.step : checkpointSteps(run).at(-1);
