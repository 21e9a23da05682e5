import * as vscode from 'vscode';
import { experimentName } from '../../runs/layout';
import { english } from '../../study/say';
import { saved } from '../ask/saved';
import { measure } from '../preflight/measure';
import { reportMarkdown } from '../preflight/report';
import { experimentQuestion } from './experiment-question';
import { text } from './input';
import { confirmed, experimentIn, requireTrust, requireWanted, type Tool } from './tool';
import { preflightConfirmation } from './words';

export const preflightTool: Tool = {
  async prepare(services, input) {
    requireTrust();
    const question = await experimentQuestion(services, input);
    return {
      invocationMessage: vscode.l10n.t('Running the preflight of {0}', question.file),
      confirmationMessages: confirmed(preflightConfirmation(question, vscode.l10n.t)),
    };
  },
  async answer(services, input, token) {
    requireTrust();
    const file = await experimentIn(text(input, 'experiment'));
    await saved(file);
    requireWanted(token);
    const report = await measure(services, file, { token });
    return reportMarkdown(experimentName(file), report, english);
  },
};
