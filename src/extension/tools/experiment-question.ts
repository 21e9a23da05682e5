import * as vscode from 'vscode';
import type { Experiment } from '../../experiment/experiment';
import { runLabel } from '../runs/label';
import { isActive } from '../runs/shown-state';
import type { Services } from '../services';
import { changedSettings, text, type ToolInput } from './input';
import { experimentIn, shownPath } from './tool';
import type { RunQuestion } from './words';

/** What a person should know before something is started; mistakes are left for the tool to report. */
export async function experimentQuestion({ store }: Services, input: ToolInput): Promise<RunQuestion> {
  const file = await experimentIn(text(input, 'experiment'));
  const changed = changedSettings(input);
  const active = (await store.runs()).filter((run) => isActive(run.state));
  const spec = await read(file, changed);
  return {
    file: shownPath(file),
    changed,
    active: active.map(runLabel),
    shown: shownPath,
    ...(spec && { spec }),
  };
}

async function read(file: string, changed: readonly string[]): Promise<Experiment | undefined> {
  const { parseExperiment } = await import('../../runs/experiment/load');
  try {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
    return parseExperiment(file, document.getText(), changed);
  } catch {
    return undefined;
  }
}
