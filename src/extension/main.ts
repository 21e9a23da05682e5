import type * as vscode from 'vscode';

/** Wires the parts; nothing is spawned or scanned here. */
export function activate(context: vscode.ExtensionContext): void {
  void context;
}
