import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import type { PlaygroundFromPage, PlaygroundOpen } from '../../../protocol/panels/playground';
import { shapesOf } from '../../../experiment/tasks/registry';
import type { Services } from '../../services';
import { machineArguments } from '../../launcher/trainer-client';
import type { PageChannel, PanelSession } from '../panel';
import { saveFile } from '../save-file';
import { pickRuns } from './pick-runs';
import { PlaygroundSession } from './session';
import { nameOf, titleOf } from './title';

/** Follows the run, and asks the trainer program for answers. */
export function startPlayground(
  services: Services,
  open: PlaygroundOpen,
  page: PageChannel,
): PanelSession<PlaygroundFromPage> {
  const { store, trainer, log } = services;
  const session = new PlaygroundSession(open, {
    // Uses the CPU only: an answer takes milliseconds, and a GPU may be training.
    start: (onLine) => trainer.open(['play', '--json', ...machineArguments(() => [])], { onLine }),
    post: (message) => page.post(message),
    titleOf: (run) => nameOf(services, run),
    shapesOf(run) {
      const spec = store.run(run)?.run?.spec;
      return spec && shapesOf(spec);
    },
    pickRuns: (labels, there) => pickRuns(services, labels, there),
    copy: (text) => void vscode.env.clipboard.writeText(text),
    savePicture: (name, png) =>
      saveFile(png, `${name}.png`, t('Save Picture'), {
        [t('PNG picture')]: ['png'],
      }),
    failed: (e) => log.warn(e instanceof Error ? e.message : String(e)),
  });
  let title = titleOf(services, open);
  const changes = store.onDidChange(() => {
    const now = titleOf(services, open);
    if (now === title) return;
    title = now;
    session.rename();
  });
  return {
    snapshot: () => session.snapshot(),
    receive: (message) => session.receive(message),
    dispose: () => {
      changes.dispose();
      session.dispose();
    },
  };
}
