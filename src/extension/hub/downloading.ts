import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import type { GotReference } from '../../protocol/hub';
import { messageOf } from '../ask/message-of';
import type { Services } from '../services';
import { HubProgressText } from '../words/hub-text';
import { downloadHub } from './hub-program';
import { withAccess } from './with-access';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';

/**
 * Downloads with a notification that shows bytes and the time that is left, and can be canceled. Downloaded parts are
 * kept, so that the next attempt continues from there.
 *
 * @param args of `aurora get`
 * @param file the experiment among them
 * @returns undefined, after a message, if it failed or was canceled
 */
export async function downloading(
  services: Services,
  args: readonly string[],
  { title, page, file }: { title: string; page: string; file?: string },
): Promise<GotReference[] | undefined> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  for (;;) {
    try {
      return await withAccess(services, page, () =>
        Promise.resolve(
          withProgress(options, (progress, token) => {
            const text = new HubProgressText();
            return downloadHub(services, args, (event) => progress.report(text.next(event)), {
              token,
              cwd: file && dirname(file),
            });
          }),
        ),
      );
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      const again = t('Try Again');
      if ((await notify.error(messageOf(e), again)) !== again) return undefined;
    }
  }
}
