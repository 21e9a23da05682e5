/** The message of views that need a folder. */
export const NO_FOLDER =
  'Open a folder for your experiments, or try the demo first.\n[Open Folder](command:vscode.openFolder)\n[Run the Demo](command:aurora.runDemo)\nNew here? [Get started](command:aurora.getStarted).';
