import * as vscode from 'vscode';
import { plainMessage } from './plain-message';

/**
 * Shows a notification or, with `modal`, a dialog.
 *
 * @returns the selected button
 */
interface Show {
  (message: string, ...buttons: string[]): Promise<string | undefined>;
  (message: string, options: vscode.MessageOptions, ...buttons: string[]): Promise<string | undefined>;
}

function show(severity: 'Information' | 'Warning' | 'Error'): Show {
  return async (message: string, ...rest: (string | vscode.MessageOptions)[]) => {
    const { detail, ...options }: vscode.MessageOptions = typeof rest[0] === 'object' ? rest[0] : {};
    const buttons = rest.filter((part) => typeof part === 'string');
    const labels = buttons.map(plainMessage);
    const picked = await vscode.window[`show${severity}Message`](
      plainMessage(message),
      { ...options, detail: detail && plainMessage(detail) },
      ...labels,
    );
    return picked === undefined ? undefined : buttons[labels.indexOf(picked)];
  };
}

/** Messages that cannot contain a link, whatever their text. A lint rule rejects VS Code's own functions elsewhere. */
export const notify = {
  information: show('Information'),
  warning: show('Warning'),
  error: show('Error'),
};
