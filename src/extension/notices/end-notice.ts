import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { COMMAND } from '../ids';
import { isActive } from '../runs/shown-state';
import { claimOfSweep } from '../../runs/claim-folder';
import type { ClaimEntry, RunEntry, ShownState, SweepEntry } from '../runs/store';
import type { Services } from '../services';
import { bySweep } from '../words/sweep-row';
import { endNotice, hasEnded, sweepEndText } from '../words/end-text';
import { nextSteps } from '../words/next-step';
import { notify } from '../messages/notify';

/** Runs that the user stopped here; the command itself reports their end. */
export const askedToStop = new Set<string>();

/** Shows a notification when a run or a sweep ends whose page is not visible: once. */
export function registerEndNotice(services: Services): vscode.Disposable {
  const { store, trainer } = services;
  const states = new Map<string, ShownState>();
  const sweeps = new Map<string, ShownState>();
  const claims = new Map<string, ClaimEntry['state']>();
  const note = (runs: readonly RunEntry[]) => {
    for (const run of runs) {
      const before = states.get(run.folder);
      if (isActive(run.state)) states.set(run.folder, run.state);
      else states.delete(run.folder);
      if (hasEnded(before, run.state)) void ended(services, run);
    }
  };
  const noteClaims = (all: readonly ClaimEntry[]) => {
    for (const claim of all) {
      if (claims.get(claim.folder) === 'running' && claim.state !== 'running')
        void claimEnded(services, claim);
      claims.set(claim.folder, claim.state);
    }
  };
  return store.onDidChange((runs) => {
    if (runs) return note(runs);
    void store.experiments().then((experiments) => {
      note(experiments.flatMap((e) => e.runs));
      noteClaims(experiments.flatMap((e) => e.claims));
      for (const { sweeps: found, runs: trials } of experiments)
        for (const sweep of found) {
          // The claim continues, or reports its end itself.
          if (claimOfSweep(sweep.folder)) continue;
          if (hasEnded(sweeps.get(sweep.folder), sweep.state)) void sweepEnded(services, sweep, trials);
          sweeps.set(sweep.folder, sweep.state);
        }
    });
    for (const run of trainer.ownRuns()) {
      const entry = store.run(run);
      if (entry) note([entry]);
    }
  });
}

/**
 * Shows a notification when a sweep ends whose page is not visible, or that needs a decision to continue.
 *
 * @param runs of its experiment
 */
export async function sweepEnded(
  { panels }: Services,
  sweep: SweepEntry,
  runs: readonly RunEntry[],
): Promise<void> {
  const trials = bySweep([sweep], runs).groups[0]?.runs ?? [];
  const { kind, message, decision } = sweepEndText(sweep, trials);
  const isSeen = vscode.window.state.focused && panels.isInSight(sweep.folder);
  if (askedToStop.has(sweep.folder) || (isSeen && !decision)) return;
  const open = t('Open Sweep');
  const buttons = [...(decision ? [decision.title] : []), ...(isSeen ? [] : [open])];
  const picked = await notify[kind](message, ...buttons);
  if (picked === open) panels.openSweep(sweep.folder);
  if (!decision || picked !== decision.title) return;
  const of = claimOfSweep(sweep.folder);
  if (of) await vscode.commands.executeCommand(COMMAND.continueClaim, { kind: 'claim', folder: of.claim });
  else
    await vscode.commands.executeCommand(
      COMMAND.runSweep,
      { kind: 'sweep', folder: sweep.folder },
      decision.options,
    );
}

async function claimEnded({ panels }: Services, claim: ClaimEntry): Promise<void> {
  const isSeen = vscode.window.state.focused && panels.isInSight(claim.folder);
  if (askedToStop.has(claim.folder) || isSeen) return;
  const { claimEndText } = await import('../words/claim-end-text');
  const { kind, message } = claimEndText(claim);
  const open = t('Open Claim');
  if ((await notify[kind](message, open)) === open) panels.openClaim(claim.folder);
}

async function ended({ panels }: Services, run: RunEntry): Promise<void> {
  // Its sweep continues, and reports how many failed.
  if (run.trial) return;
  const { kind, message } = endNotice(run);
  if (askedToStop.has(run.folder) || (vscode.window.state.focused && panels.isInSight(run.folder))) return;
  const open = t('Open Dashboard');
  const log = t('Show Log');
  const steps = nextSteps(run);
  const picked =
    kind === 'information'
      ? await notify.information(message, open)
      : kind === 'error'
        ? await notify.error(message, ...steps.map(({ title }) => title), log, open)
        : await notify.warning(message, log);
  const next = steps.find(({ title }) => title === picked);
  if (next) await vscode.commands.executeCommand(next.command, next.argument);
  if (picked === open) panels.openRun([run.folder]);
  if (picked === log) await vscode.commands.executeCommand(COMMAND.showLog, run.folder);
}
