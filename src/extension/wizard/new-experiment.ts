import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { writeAtomic } from '../../files/atomic';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { referenceOf } from '../../experiment/hub-reference';
import type { GotReference } from '../../protocol/hub';
import { CONTEXT } from '../ids';
import type { Services } from '../services';
import { markStep } from '../walkthrough/walkthrough';
import { draftText } from '../../recipes/draft';
import { draftName, freeName, nameProblem } from './draft';
import { always, runSteps, type Step } from '../ask/run-steps';
import { ask } from '../ask/steps';
import { adapterSteps } from './adapter-steps';
import { dataSteps } from './data-steps';
import { trainingData } from './hub-files';
import { modelSteps } from './model-steps';
import { recipeStep } from './recipe-step';
import { sizeSteps } from './size-steps';
import { draftOf, type WizardState } from './wizard-state';
import { WorkspaceFiles } from '../models/workspace-files';

/** The known values before anything is asked. */
export interface Given {
  model?: string;
  /** Splits of a data set from the hub. */
  data?: readonly GotReference[];
}

/** Asks for model, data and method in turn, and writes the experiment's file. */
export async function newExperiment(services: Services, given: Given = {}): Promise<string | undefined> {
  const files = await new WorkspaceFiles().all();
  const state: WizardState = { services, files, given: given.model };
  if (given.data) state.train = trainingData(given.data);
  const steps = [...modelSteps, ...dataSteps, recipeStep, ...adapterSteps, ...sizeSteps, nameStep];
  if (!(await runSteps(t('New Experiment'), steps, state)) || state.file === undefined) return undefined;
  await makeExperiment(services, state.file, draftText(state.file, draftOf(state)));
  return state.file;
}

async function makeExperiment({ context }: Services, file: string, text: string): Promise<void> {
  const uri = vscode.Uri.file(file);
  if (await exists(uri))
    throw new AuroraError(
      'experiment',
      t('{0} was created in the meantime and was not overwritten.', file),
      t('Create the experiment again under another name.'),
    );
  writeAtomic(file, text);
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: false });
  markStep(context, CONTEXT.experimentMade);
}

const nameStep: Step<WizardState> = {
  ...always,
  async run(state, place) {
    const folder = folderOf(state) ?? (await chosenFolder());
    if (folder === undefined) return 'back';
    const value = await freeName(folder, draftName(draftOf(state)));
    const answer = await ask(place, {
      prompt: t('The file name of the experiment in {0}', vscode.workspace.asRelativePath(folder)),
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
      return t('Enter a name before .aurora.json.');
    case 'slash':
      return t('A file name cannot contain any of \\ / : * ? " < > |');
    case 'ending':
      return t('The name must end in .aurora.json.');
  }
  const taken = await exists(vscode.Uri.file(join(folder, text)));
  return taken ? t('A file with this name already exists and would not be overwritten.') : undefined;
}

/** The workspace folder of the model or the data; without one, the data's own folder, unless the hub's cache has them. */
function folderOf(state: WizardState): string | undefined {
  const { workspace } = vscode;
  const around = [state.train!, state.model!].map((f) => workspace.getWorkspaceFolder(vscode.Uri.file(f)));
  const folder = around.find((f) => f !== undefined) ?? workspace.workspaceFolders?.[0];
  if (folder) return folder.uri.fsPath;
  return referenceOf(state.train!) ? undefined : dirname(state.train!);
}

async function chosenFolder(): Promise<string | undefined> {
  const title = t('Select a folder for the experiment');
  const chosen = await vscode.window.showOpenDialog({ title, canSelectFolders: true, canSelectFiles: false });
  return chosen?.[0]?.fsPath;
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
