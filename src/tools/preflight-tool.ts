import { inEnglish, t } from '../../base/l10n';
import { experimentName } from '../../runs/layout';
import { saved } from '../ask/saved';
import type { Contributes } from '../manifest/declared';
import { measure } from '../preflight/measure-preflight';
import { preflightMarkdown } from '../preflight/preflight-lines';
import { experimentQuestion } from './experiment-question';
import { text } from './input';
import { confirmed, experimentIn, requireTrust, requireWanted, type Tool } from './tool';
import { preflightConfirmation } from './tool-words';

export const contributes: Contributes = {
  tools: {
    aurora_preflight: {
      reference: 'auroraPreflight',
      name: 'Run Preflight',
      description: 'Check an experiment, and measure a few real training steps',
      forModel:
        'Checks an AuroRA experiment (*.aurora.json) and measures it with a few real training steps on this machine, keeping nothing. Returns a report: matched layers and trainable parameters, class balance, truncated texts, duplicates between training and validation data, time per step and for the whole run, peak memory, and every problem with its fix. Run it before aurora_run_experiment for a new or changed experiment. Takes from seconds to minutes, and asks the user for confirmation. Needs a trusted workspace.',
      icon: 'checklist',
      tag: 'data',
      input: {
        experiment: {
          type: 'string',
          description: 'Path of the *.aurora.json file, relative to the workspace folder',
        },
      },
      required: ['experiment'],
    },
  },
};

export const preflightTool: Tool = {
  async prepare(services, input) {
    requireTrust();
    const question = await experimentQuestion(services, input);
    return {
      invocationMessage: t('Running the preflight of {0}', question.file),
      confirmationMessages: confirmed(preflightConfirmation(question)),
    };
  },
  async answer(services, input, token) {
    requireTrust();
    const file = await experimentIn(text(input, 'experiment'));
    await saved(file);
    requireWanted(token);
    const report = await measure(services, file, { token });
    return inEnglish(() => preflightMarkdown(experimentName(file), report));
  },
};
