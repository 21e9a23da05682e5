/** `vscode.l10n.t`, passed to files that do not depend on VS Code: {0} and so on are replaced by the arguments. */
export type Translate = (message: string, ...args: (string | number)[]) => string;
