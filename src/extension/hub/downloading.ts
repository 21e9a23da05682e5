import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import type { GotReference } from '../../protocol/hub';
import type { ExperimentText } from '../../runs/experiment/experiment-text';
import { isCachedLater, referencesIn } from '../../runs/experiment/hub-references';
import type { CheckedExperiment } from '../../runs/experiment/load';
import { readChecked } from '../ask/checked-experiment';
import { messageOf } from '../ask/message-of';
import { saved } from '../ask/saved';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';
import type { Services } from '../services';
import { HubProgressText, namedText } from '../words/hub-text';
import { hubHost, hubPage } from './host';
import { downloadHub, showHub, type Shown } from './hub-program';
import { withAccess } from './token';

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

/**
 * Downloads the files that an experiment names on the hub and this machine lacks, after showing how much that is.
 *
 * @returns true if everything is here now
 */
export async function downloadNamed(services: Services, file: string): Promise<boolean> {
  if (!(await saved(file))) return false;
  const name = vscode.workspace.asRelativePath(file);
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: t('Asking {0} what {1} needs…', hubHost(), name),
    cancellable: true,
  };
  const page = hubPage('');
  const shown = await withAccess<Shown[]>(services, page, () =>
    Promise.resolve(
      withProgress(options, (_, token) => showHub(services, [file], { token, cwd: dirname(file) })),
    ),
  );
  if (!shown) return false;
  if (shown.length === 0) {
    void notify.information(t('All files of {0} are on this machine.', name));
    return true;
  }
  const { message, detail } = namedText(shown);
  const download = t('Download');
  const picked = await notify.information(message, { modal: true, detail }, download);
  if (picked !== download) return false;
  return (
    (await downloading(services, [file], { title: t('Downloading the files of {0}', name), page, file })) !==
    undefined
  );
}

/**
 * Before an experiment is trained: saves, reads and checks its file, and offers to download the files that it names. Nothing is
 * requested until the user agrees.
 *
 * @returns the experiment with its mistakes, for all that follows; undefined if the user declined
 */
export async function savedExperiment(
  services: Services,
  file: string,
): Promise<CheckedExperiment | undefined> {
  if (!(await saved(file))) return undefined;
  const checked = await readChecked(file);
  const missing = await missingRepositories(checked.doc);
  if (missing.length === 0) return checked;
  const message =
    missing.length === 1
      ? t('{0} has not been downloaded to this machine.', missing[0])
      : t('{0} have not been downloaded to this machine.', missing.join(', '));
  const download = t('Download…');
  const detail = t('{0} is asked for the size before anything is downloaded.', hubHost());
  const picked = await notify.warning(message, { modal: true, detail }, download);
  if (picked !== download || !(await downloadNamed(services, file))) return undefined;
  // Some paths depend on what a repository has.
  return readChecked(file);
}

/** None if the text cannot be read. */
async function missingRepositories(doc: ExperimentText): Promise<string[]> {
  if (doc.errors.length > 0) return [];
  const missing = referencesIn(doc.value()).map(async ({ ref }) =>
    (await isCachedLater(ref)) ? [] : [ref.repo],
  );
  return [...new Set((await Promise.all(missing)).flat())];
}
