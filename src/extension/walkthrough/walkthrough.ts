import type * as vscode from 'vscode';
import { CONTEXT } from '../ids';
import type { Services } from '../services';
import { isDemo } from '../runs/demo-places';
import { markStep, restoreSteps } from './steps';

/** Checks off the walkthrough's steps that follow from the workspace's runs. */
export function registerWalkthrough({ context, store }: Services): vscode.Disposable {
  restoreSteps(context);
  return store.onDidChange((changed) => {
    // Runs only appear with a change of structure.
    if (changed) return;
    void store.runs().then((runs) => {
      if (runs.length > 0) markStep(context, CONTEXT.demoRan);
      if (runs.some((r) => !isDemo(r.experiment))) markStep(context, CONTEXT.experimentMade);
    });
  });
}
