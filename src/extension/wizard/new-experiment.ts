import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { writeAtomic } from '../../files/atomic';
import { AuroraError } from '../../base/errors';
import { CONTEXT } from '../ids';
import type { Services } from '../services';
import { markStep } from '../walkthrough/steps';
import { draftText } from '../../recipes/draft';
import { draftName, freeName, nameProblem } from './draft';
import { always, runSteps, type Step } from '../ask/run-steps';
import { ask } from '../ask/steps';
import { adapterSteps } from './adapter';
import { dataSteps } from './data';
import { modelSteps } from './model';
import { recipeStep } from './recipe';
import { sizeSteps } from './size';
import { draftOf, type WizardState } from './state';
import { WorkspaceFiles } from '../models/workspace-files';

/** Asks for model, data and method in turn, and writes the experiment's file. */
export async function newExperiment(services: Services, model?: string): Promise<string | undefined> {
  const files = await new WorkspaceFiles().all();
  const state: WizardState = { services, files, ...(model !== undefined && { given: model }) };
  const steps = [...modelSteps, ...dataSteps, recipeStep, ...adapterSteps, ...sizeSteps, nameStep];
  if (!(await runSteps(vscode.l10n.t('New Experiment'), steps, state)) || state.file === undefined)
    return undefined;
  await makeExperiment(services, state.file, draftText(state.file, draftOf(state)));
  return state.file;
}

async function makeExperiment({ context }: Services, file: string, text: string): Promise<void> {
  const uri = vscode.Uri.file(file);
  if (await exists(uri))
    throw new AuroraError(
      'experiment',
      vscode.l10n.t('{0} was created meanwhile and was not overwritten.', file),
      vscode.l10n.t('Create the experiment again under another name.'),
    );
  writeAtomic(file, text);
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: false });
  markStep(context, CONTEXT.experimentMade);
}

const nameStep: Step<WizardState> = {
  ...always,
  async run(state, place) {
    const folder = folderOf(state);
    const value = await freeName(folder, draftName(draftOf(state)));
    const answer = await ask(place, {
      prompt: vscode.l10n.t(
        'The file name of the experiment in {0}',
        vscode.workspace.asRelativePath(folder),
      ),
      value,
      problem: (text) => problemOf(folder, text),
    });
    if (typeof answer === 'string') return answer;
    state.file = join(folder, answer.text);
    return 'next';
  },
};

async function problemOf(folder: string, text: string): Promise<string | undefined> {
  switch (nameProblem(text)) {
    case 'empty':
      return vscode.l10n.t('Enter a name before .aurora.json.');
    case 'slash':
      return vscode.l10n.t('A file name cannot contain any of \\ / : * ? " < > |');
    case 'ending':
      return vscode.l10n.t('The name must end in .aurora.json.');
  }
  const taken = await exists(vscode.Uri.file(join(folder, text)));
  return taken
    ? vscode.l10n.t('A file with this name already exists and would not be overwritten.')
    : undefined;
}

/** The workspace folder of the model or the data; without one, the data's own folder. */
function folderOf(state: WizardState): string {
  const { workspace } = vscode;
  const around = [state.train!, state.model!].map((f) => workspace.getWorkspaceFolder(vscode.Uri.file(f)));
  const folder = around.find((f) => f !== undefined) ?? workspace.workspaceFolders?.[0];
  return folder?.uri.fsPath ?? dirname(state.train!);
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
