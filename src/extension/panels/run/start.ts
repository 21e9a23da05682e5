import * as vscode from 'vscode';
import { evaluationsCsv, recordsCsv } from '../../../runs/csv';
import { runPaths } from '../../../runs/layout';
import type { RunAction, RunFromPage, RunOpen } from '../../../protocol/panels/run';
import { isAnyEvaluation } from '../../../protocol/evaluations';
import { showError } from '../../ask/guard';
import { COMMAND } from '../../ids';
import { experimentOf } from '../../runs/tracked-run';
import type { Services } from '../../services';
import type { PageChannel, PanelSession } from '../panel';
import { factsOf, RunFeed } from './feed';

/** Follows the runs, and does what the page asks for. */
export function startRun(
  { log, store }: Services,
  { runs }: RunOpen,
  page: PageChannel,
): PanelSession<RunFromPage> {
  const nameOf = (folder: string) => store.run(folder)?.name;
  const feed: RunFeed = new RunFeed(
    runs,
    (message) => page.post(message),
    () => {
      // A rename is shown immediately.
      if (runs.length === 1) page.setTitle(factsOf(feed.tail(runs[0])!, nameOf(runs[0])).name);
    },
    nameOf,
  );
  return {
    snapshot: () => feed.snapshot(),
    hidden: () => feed.hide(),
    dispose: () => feed.dispose(),
    receive(message) {
      if (message.type === 'snapshot') return feed.snapshot();
      // Only the runs of this panel, regardless of what the page sends.
      const named = message.type === 'compareSettings' ? message.runs : [message.run];
      if (!named.every((run) => runs.includes(run))) return;
      const done =
        message.type === 'copyCsv'
          ? copyCsv(feed, message).then((rows) => page.post({ ...message, type: 'copied', rows }))
          : obey(message);
      Promise.resolve(done).catch((e: unknown) => showError(log, e));
    },
  };
}

const ACTIONS: Record<RunAction, (run: string) => Thenable<unknown>> = {
  stop: (run) => vscode.commands.executeCommand(COMMAND.stopRun, run),
  resume: (run) => vscode.commands.executeCommand(COMMAND.resumeRun, run),
  activations: (run) => vscode.commands.executeCommand(COMMAND.openActivations, run),
  playground: (run) => vscode.commands.executeCommand(COMMAND.openPlayground, run),
  export: (run) => vscode.commands.executeCommand(COMMAND.exportRun, run),
  errors: (run) => vscode.commands.executeCommand(COMMAND.openErrors, run),
  log: (run) => vscode.commands.executeCommand(COMMAND.showLog, run),
  settings: (run) => vscode.commands.executeCommand('vscode.open', vscode.Uri.file(runPaths(run).spec)),
  experiment: (run) => vscode.commands.executeCommand(COMMAND.openExperiment, experimentOf(run)),
};

function obey(message: Exclude<RunFromPage, { type: 'snapshot' | 'copyCsv' }>): Thenable<unknown> {
  switch (message.type) {
    case 'action':
      return ACTIONS[message.action](message.run);
    case 'fork':
      return vscode.commands.executeCommand(COMMAND.forkRun, message.run, message.step);
    case 'compareSettings':
      return vscode.commands.executeCommand(COMMAND.compareSettings, ...message.runs);
  }
}

/** Returns the number of copied rows. */
async function copyCsv(
  feed: RunFeed,
  { run, table }: Extract<RunFromPage, { type: 'copyCsv' }>,
): Promise<number> {
  const tail = feed.tail(run)!;
  const csv =
    table === 'records' ? await recordsCsv(tail.columns, tail.rows(0)) : evaluationsCsv(tail.events);
  await vscode.env.clipboard.writeText(csv);
  return table === 'records' ? tail.records : tail.events.filter(isAnyEvaluation).length;
}
