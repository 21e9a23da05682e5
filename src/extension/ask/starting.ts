import * as vscode from 'vscode';

/** Shows in the status bar what is being started, or stopped, until it is. */
export const starting = <T>(title: string, action: () => Promise<T>): Thenable<T> =>
  vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, action);
