import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { untrusted } from '../../executors/missing-piece';
import type { ToolName } from '../../protocol/tools/tools';
import { TOOL_WORK } from '../../tools/all-tools';
import { AskedTexts } from '../../tools/asked';
import type { PreparedTool, ToolInput } from '../../tools/tool';
import { answerText, errorAnswer } from '../../tools/tool-answer';
import type { Services } from '../services';
import { editorHost } from './editor-host';

/** VS Code makes a new object for a call's answer, and has no name for the call. */
const asked = new AskedTexts();

/** A call of a tool by VS Code's chat. */
export class ToolCall {
  constructor(
    private readonly services: Services,
    private readonly name: ToolName,
    private readonly input: ToolInput,
    private readonly token: vscode.CancellationToken,
  ) {}

  /** The message while it works, and the question to the user. */
  prepare(): Promise<vscode.PreparedToolInvocation> {
    return this.plainly(async () => {
      const prepared = await this.prepared();
      const { doing, question } = prepared;
      if (!question) return { invocationMessage: doing };
      const { title, message } = await question();
      asked.ask(this.name, this.input, prepared);
      const confirmationMessages = { title, message: new vscode.MarkdownString(message) };
      return { invocationMessage: doing, confirmationMessages };
    });
  }

  answer(): Promise<vscode.LanguageModelToolResult> {
    return this.plainly(async () => {
      const prepared = await this.prepared();
      asked.requireAsked(this.name, this.input, prepared);
      const text = answerText(await prepared.answer());
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
    });
  }

  /** The tool with its input checked. In an untrusted workspace, tools only read. */
  private async prepared(): Promise<PreparedTool> {
    const { services, name, input, token } = this;
    const prepared = await TOOL_WORK[name].prepare(editorHost(services, token), input);
    if (prepared.question && !vscode.workspace.isTrusted) throw untrusted();
    return prepared;
  }

  /** The language model gets an error's message, so it states the next step. */
  private async plainly<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (e) {
      if (this.token.isCancellationRequested) throw new vscode.CancellationError();
      if (e instanceof AuroraError) throw new Error(errorAnswer(e), { cause: e });
      this.services.log.error(e as Error);
      throw e;
    }
  }
}
