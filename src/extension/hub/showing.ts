import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { showError } from '../ask/guard';
import type { HubKind } from '../../experiment/hub-reference';
import { hubSet } from '../../recipes/data/hub-sets';
import type { Services } from '../services';
import { hubHost, pageOf } from './host';
import { showHub, type Shown } from './hub-program';
import { withAccess } from './token';
import { withProgress } from '../messages/progress';

/**
 * Asks the hub for the planned download, which takes a few requests of a few kilobytes.
 *
 * @returns undefined, after a message, if it cannot be read, or if the user canceled
 */
export async function showing(
  services: Services,
  kind: HubKind,
  args: readonly string[],
  name: string,
): Promise<Shown | undefined> {
  const repo = (kind === 'dataset' && hubSet(name)?.repo) || name;
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: t('Asking {0} about {1}…', hubHost(), name),
    cancellable: true,
  };
  try {
    const shown = await withAccess(services, pageOf(kind, repo), () =>
      Promise.resolve(withProgress(options, (_, token) => showHub(services, args, { token }))),
    );
    return shown?.[0];
  } catch (e) {
    showError(services.log, e);
    return undefined;
  }
}
