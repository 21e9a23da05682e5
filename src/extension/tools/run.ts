import * as vscode from 'vscode';
import { saved } from '../ask/saved';
import { facts } from './answer';
import { experimentQuestion } from './experiment-question';
import { changedSettings, text } from './input';
import { briefly } from './run-facts';
import { confirmed, experimentIn, requireTrust, requireWanted, shownPath, type Tool } from './tool';
import { runConfirmation } from './words';

export const runTool: Tool = {
  async prepare(services, input) {
    requireTrust();
    const question = await experimentQuestion(services, input);
    return {
      invocationMessage: vscode.l10n.t('Starting {0}', question.file),
      confirmationMessages: confirmed(runConfirmation(question, vscode.l10n.t)),
    };
  },
  async answer({ trainer, store, panels }, input, token) {
    requireTrust();
    const file = await experimentIn(text(input, 'experiment'));
    const changed = changedSettings(input);
    await saved(file);
    // All mistakes at once, before a run folder exists.
    const { loadExperiment } = await import('../../runs/experiment/load');
    loadExperiment(file, changed);
    requireWanted(token);
    const run = await trainer.start(file, changed);
    if (token.isCancellationRequested) {
      await trainer.stop(run);
      throw new vscode.CancellationError();
    }
    const entry = await store.refreshRun(run);
    panels.openRun([run], true);
    return facts({
      ...briefly(entry),
      folder: shownPath(run),
      next: 'The run has started. Call aurora_follow_run with this id until its state is no longer starting or running.',
    });
  },
};
