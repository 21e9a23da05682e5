import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { messageOf } from './message-of';
import { MissingError, type MissingPiece } from '../../executors/missing';
import { notify } from '../messages/notify';

/** The one place to get each thing that can be missing. */
const ACTIONS: Record<MissingPiece, { title: () => string; command: string; arguments?: unknown[] }> = {
  trust: { title: () => t('Manage Workspace Trust'), command: 'workbench.trust.manage' },
  node: openNodePath(),
  nodeSetting: openNodePath(),
  runtime: showExtension(),
  program: showExtension(),
};

function openNodePath() {
  return {
    title: () => t('Open Settings'),
    command: 'workbench.action.openSettings',
    arguments: ['aurora.nodePath'],
  };
}

function showExtension() {
  return {
    title: () => t('Show Extension'),
    command: 'workbench.extensions.search',
    arguments: ['@id:aurora-lab.aurora-lab'],
  };
}

/**
 * Runs an action that trains. A missing piece or a mistake in the experiment gets its own message with one next action,
 * and the result is undefined. Any other error is rethrown.
 */
export async function explaining<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (e) {
    if (e instanceof MissingError) showMissing(e);
    else if (e instanceof ExperimentProblem) await showProblem(e);
    else throw e;
    return undefined;
  }
}

function showMissing(e: MissingError): void {
  const action = ACTIONS[e.piece];
  offer(messageOf(e), action.title(), action.command, ...(action.arguments ?? []));
}

/** A message with its one next action. Not awaited by the failed command, which has ended by then. */
function offer(message: string, title: string, command: string, ...args: unknown[]): void {
  void notify.error(message, title).then((picked) => {
    if (picked === title) void vscode.commands.executeCommand(command, ...args);
  });
}

/** A problem in an experiment file, with its position. */
export class ExperimentProblem extends Error {
  constructor(
    message: string,
    readonly file: string,
    /** Zero-based. */
    readonly line: number,
    readonly column: number,
    readonly more: number,
  ) {
    super(message);
  }
}

async function showProblem({ message, file, line, column, more }: ExperimentProblem): Promise<void> {
  const at = new vscode.Position(line, column);
  await vscode.window.showTextDocument(vscode.Uri.file(file), { selection: new vscode.Range(at, at) });
  const rest = more > 0 ? ` ${t('More problems: {0}.', more)}` : '';
  offer(`${messageOf({ message })}${rest}`, t('Show Problems'), 'workbench.actions.view.problems');
}
