import type * as vscode from 'vscode';
import type { MeasuredOn } from '../../experiment/evaluation-sets';
import type { PlaygroundOpen } from '../../protocol/panels/playground';
import type { TokensOpen } from '../../protocol/panels/tokens';
import type { StudyOpen } from '../../study/study-messages';
import type { RunsOpen } from '../../study/runs-table/runs-messages';

/** The dashboards. Each is revealed if it is already open. */
export interface Panels extends vscode.Disposable {
  /** A run, or several overlaid. `preserveFocus` leaves the focus where it is, as for a click in a list. */
  openRun(runs: readonly string[], preserveFocus?: boolean): void;
  /** The folder of a sweep. */
  openSweep(folder: string, preserveFocus?: boolean): void;
  /** The folder of a claim. */
  openClaim(folder: string, preserveFocus?: boolean): void;
  /** True if a visible dashboard shows the run, or a visible page is the sweep's or the claim's. */
  isInSight(folder: string): boolean;
  /** Without a file: a calculator for the paper's shapes. */
  openBudget(experimentFile?: string): void;
  /** A calculator that begins with this model. */
  openModelBudget(model: string): void;
  openActivations(run: string): void;
  /** The errors of a step's checkpoint; its predictions exist. */
  openErrors(run: string, step: number, on: MeasuredOn): void;
  openPlayground(open: PlaygroundOpen): void;
  /** The rows of an experiment as training reads them. */
  openTokens(open: TokensOpen): void;
  openStudy(open: StudyOpen): void;
  /** Runs as a table. */
  openRuns(open: RunsOpen): void;
}
