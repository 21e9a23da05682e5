import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import type { ToolName } from '../ids';
import type { Services } from '../services';
import { bounded } from './tool-answer';
import type { ToolInput } from './input';
import type { Tool } from './tool';

/** Loaded when a language model calls one for the first time. */
const TOOLS: Record<ToolName, () => Promise<Tool>> = {
  aurora_inspect_model: async () => (await import('./inspect-tool')).inspectTool,
  aurora_preflight: async () => (await import('./preflight-tool')).preflightTool,
  aurora_run_experiment: async () => (await import('./run-tool')).runTool,
  aurora_follow_run: async () => (await import('./follow-tool')).followTool,
  aurora_compare_runs: async () => (await import('./compare-tool')).compareTool,
  aurora_explain_run: async () => (await import('./explain-tool')).explainTool,
};

/**
 * The commands that the editor's chat can call. The extension sends nothing anywhere: VS Code passes a tool's answer to the
 * language model that the user chose. Editors that are based on VS Code may lack them.
 */
export function registerTools(services: Services): vscode.Disposable {
  const { lm } = vscode as Partial<typeof vscode>;
  if (typeof lm?.registerTool !== 'function') return vscode.Disposable.from();
  return vscode.Disposable.from(
    ...Object.entries(TOOLS).map(([name, load]) =>
      lm.registerTool<ToolInput>(name, {
        prepareInvocation: ({ input }) =>
          plainly(services, async () => (await load()).prepare(services, input)),
        invoke: ({ input }, token) =>
          plainly(services, async () => {
            const tool = await load();
            const answer = await tool.answer(services, input, token).catch((e: unknown) => {
              throw token.isCancellationRequested ? new vscode.CancellationError() : e;
            });
            return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(bounded(answer))]);
          }),
      }),
    ),
  );
}

/** The language model gets an error's message, so it states the next step. */
async function plainly<T>({ log }: Services, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (e) {
    if (e instanceof AuroraError)
      throw new Error(bounded([e.message, e.hint].filter(Boolean).join('\n')), { cause: e });
    if (!(e instanceof vscode.CancellationError)) log.error(e as Error);
    throw e;
  }
}
