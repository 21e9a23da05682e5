import type * as vscode from 'vscode';

/** The dashboards. Each is revealed where it is already open. */
export interface Panels extends vscode.Disposable {
  /** One run, or several laid over each other. */
  openRun(runs: readonly string[]): void;
  /** Without a file: a calculator of the paper's shapes. */
  openBudget(experimentFile?: string): void;
  openActivations(run: string): void;
}
