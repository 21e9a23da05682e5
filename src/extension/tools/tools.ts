import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { untrusted } from '../../executors/missing-piece';
import { type ToolName, TOOLS } from '../../protocol/tools/tools';
import { LOAD_TOOL, toolNames } from '../../tools/all-tools';
import type { Confirmation, PreparedTool, ToolInput } from '../../tools/tool';
import type { Contributes } from '../manifest/declared';
import type { Services } from '../services';

export const contributes: Contributes = { tools: TOOLS };

/**
 * The commands that the editor's chat can call. The extension sends nothing anywhere: VS Code passes a tool's answer to the
 * language model that the user chose. Editors that are based on VS Code may lack them.
 */
export function registerTools(services: Services): vscode.Disposable {
  const { lm } = vscode as Partial<typeof vscode>;
  if (typeof lm?.registerTool !== 'function') return vscode.Disposable.from();
  return vscode.Disposable.from(
    ...toolNames().map((name) =>
      lm.registerTool<ToolInput>(name, {
        prepareInvocation: ({ input }, token) =>
          plainly(services, token, async () => {
            const { doing, question } = await prepared(services, name, input, token);
            return {
              invocationMessage: doing,
              ...(question && { confirmationMessages: inMarkdown(await question()) }),
            };
          }),
        invoke: ({ input }, token) =>
          plainly(services, token, async () => {
            const { answer } = await prepared(services, name, input, token);
            const { answerText } = await import('../../tools/tool-answer');
            const text = answerText(await answer());
            return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
          }),
      }),
    ),
  );
}

/** A tool with its input checked. In an untrusted workspace, tools only read. */
async function prepared(
  services: Services,
  name: ToolName,
  input: ToolInput,
  token: vscode.CancellationToken,
): Promise<PreparedTool> {
  const { editorHost } = await import('./editor-host');
  const tool = await LOAD_TOOL[name]();
  const made = await tool.prepare(editorHost(services, token), input);
  if (made.question && !vscode.workspace.isTrusted) throw untrusted();
  return made;
}

const inMarkdown = ({ title, message }: Confirmation): vscode.LanguageModelToolConfirmationMessages => ({
  title,
  message: new vscode.MarkdownString(message),
});

/** The language model gets an error's message, so it states the next step. */
async function plainly<T>(
  { log }: Services,
  token: vscode.CancellationToken,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (e) {
    if (token.isCancellationRequested) throw new vscode.CancellationError();
    if (e instanceof AuroraError) {
      const { errorAnswer } = await import('../../tools/tool-answer');
      throw new Error(errorAnswer(e), { cause: e });
    }
    log.error(e as Error);
    throw e;
  }
}
