import * as vscode from 'vscode';
import { CONTEXT } from '../ids';

/** The contexts that check off the walkthrough's steps. */
const STEPS = [
  CONTEXT.hubUsed,
  CONTEXT.demoRan,
  CONTEXT.activationsSeen,
  CONTEXT.budgetSeen,
  CONTEXT.experimentMade,
] as const;
type Step = (typeof STEPS)[number];

const marked = new Set<Step>();

/**
 * Remembers that the user has done the action of a step of the walkthrough, in any way. A command's own event is not
 * enough: VS Code fires none for a button on a page, a lens or another command that runs it.
 */
export function markStep({ globalState }: vscode.ExtensionContext, step: Step): void {
  if (marked.has(step)) return;
  marked.add(step);
  void globalState.update(step, true);
  void vscode.commands.executeCommand('setContext', step, true);
}

/** Restores the steps in VS Code that were done in earlier windows. */
export function restoreSteps(context: vscode.ExtensionContext): void {
  for (const step of STEPS) if (context.globalState.get(step) === true) markStep(context, step);
}
