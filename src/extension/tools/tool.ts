import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { untrusted } from '../../executors/missing-piece';
import type { Services } from '../services';
import { type ToolInput, inWorkspace } from './input';
import type { Confirmation } from './tool-words';

/** A language model tool: its message while it works, and its answer. */
export interface Tool {
  /** Asks for confirmation if the tool starts anything. Has no side effects. */
  prepare(services: Services, input: ToolInput): Promise<vscode.PreparedToolInvocation>;
  /** @returns the answer for the model; throws AuroraError with the next step */
  answer(services: Services, input: ToolInput, token: vscode.CancellationToken): Promise<string>;
}

/** The workspace's folders on this machine. */
export const workspaceFolders = (): string[] =>
  (vscode.workspace.workspaceFolders ?? []).filter((f) => f.uri.scheme === 'file').map((f) => f.uri.fsPath);

/** A model, a data file or an experiment that the model named, in the workspace. */
export const fileIn = (given: string): Promise<string> => inWorkspace(workspaceFolders(), given);

const EXPERIMENT = '.aurora.json';

export async function experimentIn(given: string): Promise<string> {
  const file = await fileIn(given);
  if (file.endsWith(EXPERIMENT)) return file;
  throw new AuroraError(
    'usage',
    `${given} is not an experiment file.`,
    `Experiment files end in ${EXPERIMENT}.`,
  );
}

/** In an untrusted workspace, tools only read. */
export function requireTrust(): void {
  if (!vscode.workspace.isTrusted) throw untrusted();
}

export function requireWanted(token: vscode.CancellationToken): void {
  if (token.isCancellationRequested) throw new vscode.CancellationError();
}

export const shownPath = (path: string): string => vscode.workspace.asRelativePath(path);

export const confirmed = ({
  title,
  message,
}: Confirmation): vscode.LanguageModelToolConfirmationMessages => ({
  title,
  message: new vscode.MarkdownString(message),
});
