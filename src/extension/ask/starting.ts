import * as vscode from 'vscode';
import { withProgress } from '../messages/progress';

/** Shows in the status bar the work that is being started, or stopped, until it is. */
export const starting = <T>(title: string, action: () => Promise<T>): Thenable<T> =>
  withProgress({ location: vscode.ProgressLocation.Window, title }, action);
