import { join } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { isAnyEvaluation } from '../../../protocol/evaluations';
import type { RunAction, RunFromPage, RunOpen, RunToPage } from '../../../protocol/panels/run';
import { evaluationsCsv, recordsCsv } from '../../../runs/records-csv';
import { experimentOf, runPaths } from '../../../runs/layout';
import { showError } from '../../ask/guard';
import { ALL_SETTINGS } from '../../commands/runs/run-settings';
import { COMMAND } from '../../ids';
import type { Services } from '../../services';
import type { PageChannel, PanelSession } from '../panel';
import { saveChart } from '../save-file';
import { factsOf, type Known, RunFeed } from './run-feed';

/** Follows the runs, and serves the page's requests. */
export function startRun(
  { log, store }: Services,
  { runs }: RunOpen,
  page: PageChannel,
): PanelSession<RunFromPage> {
  const known = (folder: string) => store.run(folder);
  const feed: RunFeed = new RunFeed(
    runs,
    (message) => page.post(message),
    () => {
      // A rename is shown immediately.
      if (runs.length === 1) page.setTitle(factsOf(feed.tail(runs[0])!, known(runs[0])).name);
    },
    known,
    (path) => page.address(path),
  );
  return {
    snapshot: () => feed.snapshot(),
    hidden: () => feed.hide(),
    dispose: () => feed.dispose(),
    receive(message) {
      if (message.type === 'snapshot') return feed.snapshot();
      // Only the runs of this panel, whatever the page sends.
      const named = message.type === 'compareSettings' ? message.runs : [message.run];
      if (!named.every((run) => runs.includes(run))) return;
      const done = answer(feed, runs, message, known, (told) => page.post(told));
      Promise.resolve(done).catch((e: unknown) => showError(log, e));
    },
  };
}

async function answer(
  feed: RunFeed,
  runs: readonly string[],
  message: Exclude<RunFromPage, { type: 'snapshot' }>,
  known: (folder: string) => Known | undefined,
  post: (message: RunToPage) => void,
): Promise<void> {
  if (message.type === 'copyCsv')
    return post({ ...message, type: 'copied', rows: await copyCsv(feed, message) });
  if (message.type !== 'saveChart') return void (await obey(message));
  const { run } = message;
  const of = runs.length === 1 ? factsOf(feed.tail(run)!, known(run)).name : t('comparison');
  const name = await saveChart(message, of);
  if (name !== undefined) post({ type: 'saved', name });
}

const ACTIONS: Record<RunAction, (run: string) => Thenable<unknown>> = {
  stop: (run) => vscode.commands.executeCommand(COMMAND.stopRun, run),
  resume: (run) => vscode.commands.executeCommand(COMMAND.resumeRun, run),
  again: (run) => vscode.commands.executeCommand(COMMAND.runExperiment, experimentOf(run)),
  activations: (run) => vscode.commands.executeCommand(COMMAND.openActivations, run),
  playground: (run) => vscode.commands.executeCommand(COMMAND.openPlayground, run),
  export: (run) => vscode.commands.executeCommand(COMMAND.exportRun, run),
  errors: (run) => vscode.commands.executeCommand(COMMAND.openErrors, run),
  log: (run) => vscode.commands.executeCommand(COMMAND.showLog, run),
  settings: (run) => vscode.commands.executeCommand(COMMAND.openSettings, run),
  experiment: (run) => vscode.commands.executeCommand(COMMAND.openExperiment, experimentOf(run)),
};

function obey(
  message: Exclude<RunFromPage, { type: 'snapshot' | 'copyCsv' | 'saveChart' }>,
): Thenable<unknown> {
  switch (message.type) {
    case 'action':
      return ACTIONS[message.action](message.run);
    case 'fork':
      return vscode.commands.executeCommand(COMMAND.forkRun, message.run, message.step);
    case 'openPicture':
      return vscode.commands.executeCommand(
        'vscode.open',
        vscode.Uri.file(join(runPaths(message.run).pictures, message.file)),
      );
    case 'compareSettings':
      return vscode.commands.executeCommand(COMMAND.compareSettings, message.runs, undefined, ALL_SETTINGS);
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
