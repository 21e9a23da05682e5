import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { registerGuarded } from '../ask/guard';
import type { claimFrom } from '../ask/pick-claim';
import { explaining } from '../ask/training-problems';
import { COMMAND, FROM_ROW } from '../ids';
import type { Contributes } from '../manifest/declared';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    testClaim: {
      title: 'Test Claim',
      icon: 'law',
      palette: 'aurora.hasExperiments',
      menus: [
        { at: 'row', can: 'canClaim', group: '1_run@8' },
        { at: 'explorer', of: 'experiment', group: 'aurora@5' },
      ],
    },
    stopClaim: {
      title: 'Stop Claim',
      icon: 'debug-stop',
      palette: 'aurora.hasRunningSweep',
      menus: [
        { at: 'row', can: 'canStopClaim', group: '1_run@1' },
        { at: 'row', can: 'canStopClaim', group: 'inline@1' },
      ],
    },
    continueClaim: {
      title: 'Continue Claim',
      icon: 'debug-continue',
      palette: false,
      menus: [
        { at: 'row', can: 'canContinueClaim', group: '1_run@1' },
        { at: 'row', can: 'canContinueClaim', group: 'inline@1' },
      ],
    },
    openClaim: {
      title: 'Open Claim',
      icon: 'law',
      palette: 'aurora.hasExperiments',
      menus: [
        { at: 'row', can: 'canOpenClaim', group: '2_open@1' },
        { at: 'row', can: 'canOpenClaim', group: 'inline@2' },
      ],
    },
    openCertificate: {
      title: 'Open Certificate',
      palette: false,
      menus: [{ at: 'row', can: 'canOpenCertificate', group: '2_open@2' }],
    },
  },
};

const picked: typeof claimFrom = async (...choice) =>
  (await import('../ask/pick-claim')).claimFrom(...choice);

/** Claims are tested in `aurora claim`: in a separate process, found again by its folder, as runs are. */
export const registerClaims = (services: Services): vscode.Disposable =>
  vscode.Disposable.from(
    registerGuarded(services.log, COMMAND.testClaim, async (argument) => {
      const { testClaim } = await import('./test-claim');
      await explaining(() => testClaim(services, argument));
    }),
    registerGuarded(services.log, COMMAND.stopClaim, async (argument) => {
      const claim = await picked(services, argument, t('Select a claim to stop'), 'running');
      const { stopClaim } = await import('./test-claim');
      if (claim) await explaining(() => stopClaim(services, claim));
    }),
    registerGuarded(services.log, COMMAND.continueClaim, async (argument) => {
      const claim = await picked(services, argument, t('Select a claim to continue'));
      const { continueClaim } = await import('./test-claim');
      if (claim) await explaining(() => continueClaim(services, claim));
    }),
    registerGuarded(services.log, COMMAND.openClaim, async (argument, from) => {
      const claim = await picked(services, argument, t('Select a claim to open'));
      if (claim) services.panels.openClaim(claim.folder, from === FROM_ROW);
    }),
    registerGuarded(services.log, COMMAND.openCertificate, async (argument) => {
      const claim = await picked(services, argument, t('Select a claim to open its certificate'));
      const { openCertificate } = await import('./test-claim');
      if (claim) await openCertificate(claim);
    }),
  );
