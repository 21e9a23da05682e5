import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { saved } from '../ask/saved';
import type { Contributes } from '../manifest/declared';
import { experimentQuestion } from './experiment-question';
import { changedSettings, text } from './input';
import { confirmed, experimentIn, requireTrust, requireWanted, shownPath, type Tool } from './tool';
import { facts } from './tool-answer';
import { briefly } from './tool-facts';
import { runConfirmation } from './tool-words';

export const contributes: Contributes = {
  tools: {
    aurora_run_experiment: {
      reference: 'auroraRun',
      name: 'Run Experiment',
      description: 'Train an experiment on this machine',
      forModel:
        "Starts training an AuroRA experiment (*.aurora.json) on this machine and returns the new run's id at once, without waiting for the end; then call aurora_follow_run. Settings can be changed for this run only. Asks the user for confirmation. Needs a trusted workspace. Mistakes in the experiment file are returned with line, column and a suggestion.",
      icon: 'play',
      tag: 'training',
      input: {
        experiment: {
          type: 'string',
          description: 'Path of the *.aurora.json file, relative to the workspace folder',
        },
        settings: {
          type: 'object',
          description:
            'Settings to change for this run, by dotted key; only adapter.* and training.*. Example: { "training.learningRate": 0.001, "adapter.rank": 4 }',
          additionalProperties: true,
        },
      },
      required: ['experiment'],
    },
  },
};

export const runTool: Tool = {
  async prepare(services, input) {
    requireTrust();
    const question = await experimentQuestion(services, input);
    return {
      invocationMessage: t('Starting {0}', question.file),
      confirmationMessages: confirmed(runConfirmation(question)),
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
