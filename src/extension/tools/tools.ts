import * as vscode from 'vscode';
import { type ToolName, TOOLS } from '../../protocol/tools/tools';
import type { ToolInput } from '../../tools/tool';
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
  const called = async (name: ToolName, input: ToolInput, token: vscode.CancellationToken) => {
    const { ToolCall } = await import('./call-tool');
    return new ToolCall(services, name, input, token);
  };
  return vscode.Disposable.from(
    ...declaredTools(services).map((name) =>
      lm.registerTool<ToolInput>(name, {
        prepareInvocation: async ({ input }, token) => (await called(name, input, token)).prepare(),
        invoke: async ({ input }, token) => (await called(name, input, token)).answer(),
      }),
    ),
  );
}

/** The names in package.json, which has the descriptions, too: the code of the extension leaves them out. */
function declaredTools({ context }: Services): ToolName[] {
  const { contributes } = context.extension.packageJSON as {
    contributes: { languageModelTools: { name: ToolName }[] };
  };
  return contributes.languageModelTools.map((tool) => tool.name);
}
