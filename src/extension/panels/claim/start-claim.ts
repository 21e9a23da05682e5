import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { count } from '../../../base/number-text';
import { claimOfSweep, claimPaths, claimSweepFolder } from '../../../runs/claim-folder';
import { experimentName } from '../../../runs/layout';
import type { CertificateFault, CheckLine } from '../../../study/claim/certificate';
import type { Checked, ClaimAction, ClaimFromPage, ClaimOpen } from '../../../study/claim/claim-messages';
import { showError } from '../../ask/guard';
import { explaining } from '../../ask/training-problems';
import { COMMAND } from '../../ids';
import { programError, programLine } from '../../../executors/local/program';
import { withProgress } from '../../messages/progress';
import type { ClaimNode } from '../../runs/nodes';
import type { ClaimEntry, RunEntry } from '../../runs/store';
import { sweepFolderOf } from '../../runs/sweep-of';
import type { Services } from '../../services';
import { rowContext } from '../../words/row-context';
import type { PageChannel, PanelSession } from '../panel';
import { ClaimSession } from './claim-session';

/** At most four messages a second. */
const SETTLE_MS = 250;

/** Follows the claim, and serves the page's requests. */
export function startClaim(
  services: Services,
  { claim: folder }: ClaimOpen,
  page: PageChannel,
): PanelSession<ClaimFromPage> {
  const { store, log, panels } = services;
  const node: ClaimNode = { kind: 'claim', folder };
  let runs: readonly RunEntry[] = [];
  let claim: ClaimEntry | undefined;
  const session = new ClaimSession({
    post: (message) => page.post(message),
    async read() {
      const found = (await store.experiments()).find((e) => e.claims.some((c) => c.folder === folder));
      runs = found?.runs ?? [];
      claim = found?.claims.find((c) => c.folder === folder);
      if (found && claim) return { claim, sweeps: found.sweeps, runs };
      return existsSync(folder) ? 'unwritten' : 'gone';
    },
    context: rowContext,
    failed: (e) => showError(log, e),
  });
  let timer: NodeJS.Timeout | undefined;
  const isOfClaim = (run: RunEntry) => claimOfSweep(sweepFolderOf(run) ?? '')?.claim === folder;
  const subscriptions = [
    store.onDidChange((changed) => {
      if (changed && !changed.some(isOfClaim)) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        session.look();
      }, SETTLE_MS);
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => session.look()),
  ];
  let checking = false;
  const check = async () => {
    if (checking || !claim) return;
    checking = true;
    page.post({ type: 'checked', checked: { state: 'checking' } });
    let checked: Checked | undefined;
    try {
      checked = await explaining(() => checkCertificate(services, claim!));
    } finally {
      checking = false;
      page.post({ type: 'checked', checked });
    }
  };
  const actions: Record<ClaimAction, () => unknown> = {
    stop: () => vscode.commands.executeCommand(COMMAND.stopClaim, node),
    continue: () => vscode.commands.executeCommand(COMMAND.continueClaim, node),
    certificate: () => vscode.commands.executeCommand(COMMAND.openCertificate, node),
    check,
    experiment: () => claim && vscode.commands.executeCommand(COMMAND.openExperiment, claim.experiment),
    search: () => panels.openSweep(claimSweepFolder(folder, 'search')),
    test: () => panels.openSweep(claimSweepFolder(folder, 'test')),
  };
  const obey = (message: ClaimFromPage): unknown => {
    switch (message.type) {
      case 'action':
        return actions[message.action]();
      case 'open':
        // Only runs of this experiment, whatever the page sends.
        return runs.some((r) => r.folder === message.run) && panels.openRun([message.run]);
      case 'copy':
        return vscode.env.clipboard.writeText(message.text);
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

/**
 * Has `aurora claim --check` compute the verdict again from the run folders, which takes a while if predictions are missing.
 *
 * @returns undefined if the user canceled
 */
async function checkCertificate(
  { trainer }: Services,
  { folder, certificate, experiment }: ClaimEntry,
): Promise<Checked | undefined> {
  const args = ['claim', '--check', claimPaths(folder).certificate, '--json'];
  const title = t('Checking the certificate of {0}', experimentName(experiment));
  const location = vscode.ProgressLocation.Notification;
  return withProgress({ location, title, cancellable: true }, async (progress, token) => {
    let faults: CertificateFault[] | undefined;
    const onLine = (text: string) => {
      const line = programLine<CheckLine>(text, ['checking', 'checked']);
      if (line?.kind === 'checked') faults = line.faults;
      if (line?.kind !== 'checking') return;
      const message = t('run {0} of {1}', count(line.done + 1), count(line.of));
      progress.report({ message, increment: line.done > 0 ? 100 / line.of : 0 });
    };
    const result = await trainer.program(args, { onLine, token, timeout: Infinity }).catch((e: unknown) => {
      if (token.isCancellationRequested) return undefined;
      throw e;
    });
    if (!result || token.isCancellationRequested) return undefined;
    if (!faults) throw programError(result, 'claim --check');
    if (faults.length > 0) return { state: 'faults', faults };
    return { state: 'good', runs: certificate?.runs.length ?? 0 };
  });
}
