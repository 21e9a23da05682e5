import * as vscode from 'vscode';
import { capital } from '../../base/text';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { messageOf } from './message-of';
import { MissingError, type MissingPiece } from '../../executors/missing-piece';
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
    else if (!(await showMistake(e))) throw e;
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

/**
 * Shows the first mistake of an error at its place in the experiment.
 *
 * @returns false if the error has none
 */
async function showMistake(e: unknown): Promise<boolean> {
  const [mistake, ...others] = (e instanceof AuroraError && e.mistakes) || [];
  // The setting aurora.cluster is passed on in a file that the user does not know.
  if (!mistake?.file.endsWith('.aurora.json')) return false;
  const { file, line, column, message } = mistake;
  const at = new vscode.Position(line - 1, column - 1);
  await vscode.window.showTextDocument(vscode.Uri.file(file), { selection: new vscode.Range(at, at) });
  // A key keeps its case.
  const words = /^\w+\.\w/.test(message) ? message : capital(message);
  const rest = others.length > 0 ? ` ${t('More problems: {0}.', others.length)}` : '';
  offer(`${messageOf({ message: words })}${rest}`, t('Show Problems'), 'workbench.actions.view.problems');
  return true;
}
