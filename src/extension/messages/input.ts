import * as vscode from 'vscode';
import { plainMessage } from './plain-message';

type Options = Omit<vscode.InputBoxOptions, 'validateInput'> & {
  /** Returns the reason why an input is not valid. */
  validateInput?: (text: string) => string | undefined | Promise<string | undefined>;
};

const plain = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : plainMessage(text);

/** Asks for a string in an input box whose texts cannot contain a link. */
export const askText = ({ prompt, validateInput, ...options }: Options): Thenable<string | undefined> =>
  vscode.window.showInputBox({
    ...options,
    prompt: plain(prompt),
    ...(validateInput && { validateInput: async (text: string) => plain(await validateInput(text)) }),
  });

/** An input box whose texts cannot contain a link. `refuse` shows why its text is not valid; undefined: it is. */
export function inputBox({ prompt, ...settings }: Partial<vscode.InputBox>): {
  input: Omit<vscode.InputBox, 'prompt' | 'validationMessage'>;
  refuse: (why: string | undefined) => void;
} {
  const input = vscode.window.createInputBox();
  Object.assign(input, settings, { prompt: plain(prompt) });
  return { input, refuse: (why) => (input.validationMessage = plain(why)) };
}
