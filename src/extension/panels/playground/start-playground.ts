import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { isHeadAlone } from '../../../experiment/methods';
import { shapesOf, trainsHead } from '../../../experiment/tasks/registry';
import type { PlaygroundFromPage, PlaygroundOpen } from '../../../protocol/panels/playground';
import { runsInTreeOrder } from '../../ask/tree-order';
import { runItem } from '../../ask/run-item';
import { machineArguments } from '../../launcher/trainer-client';
import { notify } from '../../messages/notify';
import { bestEvaluation } from '../../runs/label';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import type { PageChannel, PanelSession } from '../panel';
import { saveFile } from '../save-file';
import { nameOf, titleOf } from './playground-panel';
import { PlaygroundSession } from './playground-session';

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
    pickAdapters: (run, there) => pickAdapters(services, run, there),
    copy: (text) => void vscode.env.clipboard.writeText(text),
    showTokens(run, row) {
      const file = store.run(run)?.experiment;
      if (file !== undefined) services.panels.openTokens({ file, row, split: 'validation' });
    },
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

/**
 * Runs to compare: those with the same labels first, then the others, which answer a different question.
 *
 * @param there folders that are already shown
 */
async function pickRuns(
  services: Services,
  labels: readonly string[],
  there: readonly string[],
): Promise<string[]> {
  const runs = (await runsInTreeOrder(services)).filter((r) => isTrained(r) && !there.includes(r.folder));
  if (runs.length === 0) {
    void notify.information(
      t('This workspace has no other run that was evaluated. Train another one to compare it.'),
    );
    return [];
  }
  const same = runs.filter((r) => sameLabels(r, labels));
  const part = (label: string, list: readonly RunEntry[]) =>
    list.length > 0
      ? [{ label, kind: vscode.QuickPickItemKind.Separator, run: undefined }, ...list.map(runItem)]
      : [];
  const picked = await vscode.window.showQuickPick(
    [
      ...part(t('same labels'), same),
      ...part(
        t('other labels'),
        runs.filter((r) => !same.includes(r)),
      ),
    ],
    {
      title: t('Select runs to compare with'),
      canPickMany: true,
      ignoreFocusOut: true,
      matchOnDescription: true,
      matchOnDetail: true,
    },
  );
  return (picked ?? []).flatMap((item) => item.run?.folder ?? []);
}

/**
 * Runs on the same model whose adapters can be added: those that trained no head, which could not be added.
 *
 * @param there folders that are already added, and the run's own
 */
async function pickAdapters(services: Services, run: string, there: readonly string[]): Promise<string[]> {
  const model = services.store.run(run)?.run?.spec.model.path;
  const runs = (await runsInTreeOrder(services)).filter(
    (r) =>
      isTrained(r) &&
      !there.includes(r.folder) &&
      r.run!.spec.model.path === model &&
      !trainsHead(r.run!.spec.task) &&
      !isHeadAlone(r.run!.spec.adapter),
  );
  if (runs.length === 0) {
    void notify.information(
      t(
        'This workspace has no other run on this model whose adapter can be added. Train one to combine them.',
      ),
    );
    return [];
  }
  const picked = await vscode.window.showQuickPick(runs.map(runItem), {
    title: t('Select adapters to add'),
    canPickMany: true,
    ignoreFocusOut: true,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return (picked ?? []).flatMap((item) => item.run?.folder ?? []);
}

/** It is used at its best checkpoint, so there must be one. */
const isTrained = ({ run }: RunEntry): boolean => run !== undefined && bestEvaluation(run)?.best === true;

function sameLabels({ run }: RunEntry, labels: readonly string[]): boolean {
  const started = run?.events.find((e) => e.kind === 'started');
  return started?.labels.join('\n') === labels.join('\n');
}
