import * as vscode from 'vscode';
import { plainMessage } from './plain-message';

type Report = vscode.Progress<{ message?: string; increment?: number }>;

/** Shows the progress of a task, by default in a notification, whose texts cannot contain a link. */
export const withProgress = <T>(
  { title, ...options }: vscode.ProgressOptions,
  task: (progress: Report, token: vscode.CancellationToken) => Thenable<T>,
): Thenable<T> =>
  vscode.window.withProgress({ ...options, title: title && plainMessage(title) }, (progress, token) =>
    task(
      {
        report: ({ message, ...value }) =>
          progress.report({ ...value, message: message && plainMessage(message) }),
      },
      token,
    ),
  );
