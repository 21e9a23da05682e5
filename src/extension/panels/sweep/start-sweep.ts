import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import type { SweepAction, SweepFromPage, SweepOpen } from '../../../protocol/panels/sweep';
import { experimentName } from '../../../runs/layout';
import { readSweep } from '../../../runs/sweep/record';
import { showError } from '../../ask/guard';
import { COMMAND } from '../../ids';
import type { SweepNode } from '../../runs/nodes';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { rowContext } from '../../words/row-context';
import type { PageChannel, PanelSession } from '../panel';
import { saveChart } from '../save-file';
import { sweepId } from './sweep-facts';
import { SweepSession } from './sweep-session';

/** At most four messages a second. */
const SETTLE_MS = 250;

/** Follows the sweep, and serves the page's requests. */
export function startSweep(
  { store, log, panels }: Services,
  { sweep: folder }: SweepOpen,
  page: PageChannel,
): PanelSession<SweepFromPage> {
  const node: SweepNode = { kind: 'sweep', folder };
  let runs: readonly RunEntry[] = [];
  let experiment = '';
  const session = new SweepSession({
    post: (message) => page.post(message),
    async read() {
      const found = (await store.experiments()).find((e) => e.sweeps.some((s) => s.folder === folder));
      const sweep = found?.sweeps.find((s) => s.folder === folder);
      runs = found?.runs ?? [];
      experiment = found?.file ?? experiment;
      if (sweep) return { sweep, runs };
      if (!existsSync(folder)) return 'gone';
      // Shows why, if it is damaged.
      readSweep(folder);
      return 'unwritten';
    },
    context: rowContext,
    failed: (e) => showError(log, e),
  });
  let timer: NodeJS.Timeout | undefined;
  const subscriptions = [
    store.onDidChange((changed) => {
      if (changed && !changed.some((r) => r.trial?.sweep === basename(folder))) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        session.look();
      }, SETTLE_MS);
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => session.look()),
  ];
  const actions: Record<SweepAction, () => Thenable<unknown>> = {
    stop: () => vscode.commands.executeCommand(COMMAND.stopSweep, node),
    resume: () => vscode.commands.executeCommand(COMMAND.resumeSweep, node),
    study: () => vscode.commands.executeCommand(COMMAND.studySweep, node),
    experiment: () => vscode.commands.executeCommand(COMMAND.openExperiment, experiment),
    delete: () => vscode.commands.executeCommand(COMMAND.deleteSweep, node),
  };
  /** Only runs of this experiment, whatever the page sends. */
  const isKnown = (run: string) => runs.some((r) => r.folder === run);
  const obey = (message: SweepFromPage): unknown => {
    switch (message.type) {
      case 'action':
        return actions[message.action]();
      case 'open':
        return isKnown(message.run) && panels.openRun([message.run]);
      case 'compare':
        return message.runs.every(isKnown) && panels.openRun(message.runs);
      case 'copy':
        return vscode.env.clipboard.writeText(message.text);
      case 'saveChart':
        return saveChart(message, t('{0} sweep {1}', experimentName(experiment), sweepId(folder)));
    }
  };
  return {
    snapshot: () => session.snapshot(),
    hidden: () => session.hide(),
    receive: (message) => void Promise.resolve(obey(message)).catch((e: unknown) => showError(log, e)),
    dispose: () => {
      clearTimeout(timer);
      session.hide();
      for (const s of subscriptions) s.dispose();
    },
  };
}
