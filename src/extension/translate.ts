/** `vscode.l10n.t`, given to the files that know nothing of VS Code: {0} and so on stand for the arguments. */
export type Translate = (message: string, ...args: (string | number)[]) => string;
