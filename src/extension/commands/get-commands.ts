import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { untrusted } from '../../executors/missing-piece';
import { registerGuarded } from '../ask/guard';
import { experimentFrom } from '../ask/pick';
import { explaining } from '../ask/training-problems';
import { COMMAND } from '../ids';
import type { Contributes } from '../manifest/declared';
import { notify } from '../messages/notify';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    getModel: {
      title: 'Get Model',
      icon: 'cloud-download',
      menus: [{ at: 'title', view: 'models', group: 'navigation@1' }],
    },
    getData: {
      title: 'Get Data Set',
      icon: 'cloud-download',
    },
    downloadExperiment: {
      title: 'Download Experiment Files',
      palette: 'aurora.hasExperiments && isWorkspaceTrusted',
    },
    signIn: {
      title: 'Sign In to Hugging Face',
    },
    signOut: {
      title: 'Sign Out of Hugging Face',
    },
  },
};

/** Models and data sets from the Hugging Face hub. Nothing is requested before the user runs one of these. */
export function registerGet(services: Services): vscode.Disposable {
  const { log, context } = services;
  const get = (kind: 'model' | 'dataset') => (name: unknown) =>
    explaining(async () => {
      const { getThenOffer } = await import('./get-next');
      // The walkthrough names a repository; menus may pass anything.
      return getThenOffer(services, kind, typeof name === 'string' ? name : undefined);
    });
  return vscode.Disposable.from(
    registerGuarded(log, COMMAND.getModel, get('model')),
    registerGuarded(log, COMMAND.getData, get('dataset')),
    registerGuarded(log, COMMAND.downloadExperiment, (argument) =>
      explaining(async () => {
        if (!vscode.workspace.isTrusted) throw untrusted();
        const { downloadNamed } = await import('../hub/downloading');
        const file = await experimentFrom(services, argument, t('Select an experiment'));
        return file === undefined ? undefined : downloadNamed(services, file);
      }),
    ),
    registerGuarded(log, COMMAND.signIn, async () => {
      const { signIn } = await import('../hub/token');
      if (await signIn(context))
        void notify.information(
          t('The token is used from the next request on, which is when it is checked.'),
        );
    }),
    registerGuarded(log, COMMAND.signOut, async () => (await import('../hub/token')).signOut(context)),
  );
}
