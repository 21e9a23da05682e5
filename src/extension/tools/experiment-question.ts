import * as vscode from 'vscode';
import { runLabel } from '../runs/label';
import { isActiveHere } from '../runs/shown-state';
import type { Services } from '../services';
import { changedSettings, text, type ToolInput } from './input';
import { experimentIn, shownPath } from './tool';
import type { RunQuestion } from './tool-words';

/**
 * The facts that a person should know before something is started.
 *
 * @throws AuroraError if the experiment has mistakes: a run of it would be refused, so nobody is asked about it
 */
export async function experimentQuestion({ store }: Services, input: ToolInput): Promise<RunQuestion> {
  const file = await experimentIn(text(input, 'experiment'));
  const changed = changedSettings(input);
  const active = (await store.runs()).filter(isActiveHere);
  const { parseExperiment } = await import('../../runs/experiment/load');
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
  return {
    file: shownPath(file),
    changed,
    active: active.map(runLabel),
    shown: shownPath,
    spec: parseExperiment(file, document.getText(), changed),
  };
}
