import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { COMMAND } from '../ids';
import { messageOf } from './message-of';
import { withPageSelection } from '../runs/nodes';
import { notify } from '../messages/notify';

/** Registers a command whose errors are shown to the user, with the next step. */
export function registerGuarded(
  log: vscode.LogOutputChannel,
  command: string,
  action: (...args: unknown[]) => Promise<unknown> | unknown,
): vscode.Disposable {
  return vscode.commands.registerCommand(command, async (...args: unknown[]) => {
    try {
      return await action(...withPageSelection(args));
    } catch (e) {
      showError(log, e);
      return undefined;
    }
  });
}

/** A user's mistake is shown with its hint. Anything else is our fault, and its stack goes to the log. */
export function showError(log: vscode.LogOutputChannel, e: unknown): void {
  if (e instanceof AuroraError) {
    void offerNext(e);
    return;
  }
  log.error(e as Error);
  const show = t('Show Log');
  const message = t('Internal error: {0}', (e as Error).message);
  void notify.error(message, show).then((picked) => {
    if (picked === show) log.show();
  });
}

/** With the next step, where it is a command. */
async function offerNext(e: AuroraError): Promise<void> {
  const check = t('Check This Machine');
  const picked = await notify.error(messageOf(e), ...(e.kind === 'device' ? [check] : []));
  if (picked === check) await vscode.commands.executeCommand(COMMAND.checkMachine);
}
