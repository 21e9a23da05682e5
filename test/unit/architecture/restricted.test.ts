import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';

const eslint = new ESLint();

/** The lint messages for this text in a file of src/extension. */
async function said(text: string, file = 'src/extension/notices/zz-not-there.ts'): Promise<string> {
  const [{ messages }] = await eslint.lintText(`import * as vscode from 'vscode';\n${text}\n`, {
    filePath: file,
  });
  return messages.map((m) => m.message).join('\n');
}

describe('the lint rule for messages', () => {
  it.each([
    "void vscode.window.showInformationMessage('a');",
    "void vscode.window.showWarningMessage('a');",
    "void vscode.window.showErrorMessage('a');",
    'export const show = vscode.window.showErrorMessage;',
    "void vscode.window['showErrorMessage']('a');",
    'export const { showErrorMessage: show } = vscode.window;',
    'void vscode.window.withProgress({ location: 15 }, async () => 1);',
    "void vscode.window.showInputBox({ prompt: 'a' });",
    'export const input = vscode.window.createInputBox();',
    "void vscode.commands.registerCommand('a', () => 1);",
  ])('rejects %s', async (text) => expect(await said(text)).toContain('Its text can become a link: use '));

  it('rejects trusted Markdown', async () => {
    const text = "const md = new vscode.MarkdownString('a');\nmd.isTrusted = true;\nexport { md };";
    expect(await said(text)).toContain('Trusted Markdown runs the commands of its links.');
  });

  it('accepts the functions that make links impossible, and what they call', async () => {
    const notify = "import { notify } from '../messages/notify';\nvoid notify.error('a');";
    expect(await said(notify.replace('import', 'void vscode;\nimport'))).toBe('');
    const own = "void vscode.window.showErrorMessage('a');";
    expect(await said(own, 'src/extension/messages/notify.ts')).toBe('');
  });

  it('still guards names from files in src/extension', async () => {
    const text = 'void vscode;\nexport const has = (o: object, name: string) => name in o;';
    expect(await said(text)).toContain('use Object.hasOwn');
  });
});
