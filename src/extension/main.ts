import * as vscode from 'vscode';
import { createRunStore } from './runs/run-store';

/** Wires the parts; nothing is spawned or scanned here. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('AuroRA', { log: true });
  context.subscriptions.push(log);
  createRunStore(context, log);
}
