import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { troubleSummary } from '../../protocol/alarms';
import { registerGuarded } from '../ask/guard';
import { runLabel } from '../runs/label';
import { isActive } from '../runs/shown-state';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { lastValues } from '../../runs/curve/scalar-records';
import { statusText, type ActiveRun } from '../words/status-text';

/** Minimum time between changes of the item, so that it stays readable. */
const UPDATE_MS = 1000;

/** A command that is not in the palette: it acts on the item's subject. */
const CLICKED = '_aurora.openActiveRun';

const WARNING = new vscode.ThemeColor('statusBarItem.warningBackground');

/** An item shown only while something runs: experiment, progress and loss. A click opens the dashboard. */
export function registerStatusBar(services: Services): vscode.Disposable {
  const { store, trainer, panels, log } = services;
  const item = vscode.window.createStatusBarItem('aurora.runs', vscode.StatusBarAlignment.Left, 50);
  item.name = t('AuroRA runs');
  item.command = CLICKED;
  const active = new Map<string, RunEntry>();
  let shown: ActiveRun[] = [];
  let timer: NodeJS.Timeout | undefined;
  let updated = -Infinity;

  const update = async () => {
    timer = undefined;
    updated = performance.now();
    shown = await Promise.all([...active.values()].map(activeRun));
    const status = statusText(shown);
    if (!status) return item.hide();
    item.text = status.text;
    item.tooltip = [...status.tooltip, t('Select to open the dashboard.')].join('\n');
    item.accessibilityInformation = { label: status.spoken };
    item.backgroundColor = status.warns ? WARNING : undefined;
    item.show();
  };
  const soon = () => {
    const due = Math.max(0, updated + UPDATE_MS - performance.now());
    timer ??= setTimeout(() => void update().catch((e: Error) => log.error(e)), due);
  };
  const note = (runs: readonly RunEntry[]) => {
    for (const run of runs) {
      if (isActive(run.state)) active.set(run.folder, run);
      else active.delete(run.folder);
    }
    soon();
  };
  const everything = async () => {
    const experiments = await store.experiments();
    active.clear();
    note(experiments.flatMap((e) => e.runs));
    // A run of this window may be outside its folders: the demo's, if none is open.
    for (const run of trainer.ownRuns())
      if (!active.has(run)) note([await store.refreshRun(run).catch(() => undefined)].filter((r) => !!r));
  };
  const changed = store.onDidChange((runs) => {
    if (runs) note(runs);
    else void everything().catch((e: Error) => log.error(e));
  });
  const clicked = registerGuarded(log, CLICKED, async () => {
    const run = shown.length === 1 ? shown[0].folder : await choose(shown);
    if (run !== undefined) panels.openRun([run]);
  });
  return vscode.Disposable.from(item, changed, clicked, { dispose: () => clearTimeout(timer) });
}

async function activeRun(entry: RunEntry): Promise<ActiveRun> {
  const alarm = troubleSummary(entry.run?.events ?? []);
  return {
    folder: entry.folder,
    experiment: entry.run?.spec.name ?? entry.id,
    label: runLabel(entry),
    step: entry.run?.status?.step ?? 0,
    steps: entry.run?.status?.steps ?? 0,
    ...(entry.run?.status?.preparing && { preparing: entry.run.status.preparing }),
    alarm,
    loss: (await lastValues(entry.folder, 'loss', 1).catch(() => undefined))?.at(-1),
  };
}

async function choose(runs: readonly ActiveRun[]): Promise<string | undefined> {
  const items = runs.map((run) => ({
    label: run.experiment,
    description: run.label,
    detail: run.steps > 0 ? t('step {0} of {1}', run.step, run.steps) : undefined,
    folder: run.folder,
  }));
  const title = t('Select a run to open its dashboard');
  return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.folder;
}
