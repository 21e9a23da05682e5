import { basename } from 'node:path';
import * as vscode from 'vscode';
import {
  parsePlaygroundMessage,
  parsePlaygroundOpen,
  type PlaygroundFromPage,
  type PlaygroundOpen,
} from '../../../protocol/panels/playground';
import { shapesOf } from '../../../experiment/tasks/registry';
import { modelName } from '../../../protocol/playground';
import { labelOfId, runLabel } from '../../runs/label';
import type { Services } from '../../services';
import { machineArguments } from '../../launcher/trainer-client';
import type { PanelKind } from '../panel';
import { pickRuns } from './pick-runs';
import { PlaygroundSession } from './session';

/** The Playground: a text or an image, and the answers of a checkpoint, its base and other runs. */
export const playgroundPanel = (services: () => Services): PanelKind<PlaygroundOpen, PlaygroundFromPage> => ({
  name: 'playground',
  key: (open) => JSON.stringify(open),
  title: (open) => titleOf(services(), open),
  parseOpen: parsePlaygroundOpen,
  parse: parsePlaygroundMessage,
  start(open, page) {
    const { store, trainer, log } = services();
    const session = new PlaygroundSession(open, {
      // Uses the CPU only: an answer takes milliseconds, and a GPU may be training.
      start: (onLine) => trainer.open(['play', '--json', ...machineArguments(() => [])], { onLine }),
      post: (message) => page.post(message),
      say: (sentence, ...values) => vscode.l10n.t(sentence, ...values),
      titleOf: (run) => nameOf(services(), run),
      shapesOf(run) {
        const spec = store.run(run)?.run?.spec;
        return spec && shapesOf(spec);
      },
      pickRuns: (labels, there) => pickRuns(services(), labels, there),
      copy: (text) => void vscode.env.clipboard.writeText(text),
      failed: (e) => log.warn(e instanceof Error ? e.message : String(e)),
    });
    let title = titleOf(services(), open);
    const changes = store.onDidChange(() => {
      const now = titleOf(services(), open);
      if (now === title) return;
      title = now;
      page.setTitle(title);
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
  },
});

function nameOf({ store }: Services, run: string): string {
  const entry = store.run(run);
  return entry ? runLabel(entry) : labelOfId(basename(run));
}

const titleOf = (services: Services, open: PlaygroundOpen): string =>
  vscode.l10n.t(
    'Playground: {0}',
    open.kind === 'run' ? nameOf(services, open.run) : modelName(open.model, open.adapter),
  );
