import type {
  CallToolResult,
  ServerNotification,
  ServerRequest,
  Tool,
} from '@modelcontextprotocol/sdk/types.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import { inspect } from 'node:util';
import { version } from '../../../../package.json';
import { AuroraError } from '../../../base/errors';
import { own } from '../../../base/names';
import { type ToolDefinition, toolAnnotations } from '../../../protocol/tools/definition';
import { TOOLS } from '../../../protocol/tools/tools';
import { TOOL_WORK } from '../../../tools/all-tools';
import type { Tool as ToolWork, ToolHost, ToolInput } from '../../../tools/tool';
import { answerText, errorAnswer, facts, isWhole } from '../../../tools/tool-answer';
import { PATIENCE_MS, requireConsent } from './consent';
import { progressReport } from './progress-report';
import type { ServerHost } from './server-host';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const INSTRUCTIONS =
  'AuroRA Lab trains AuroRA and LoRA adapters on transformers on this machine. An experiment is a file NAME.aurora.json in the workspace; its runs are in .aurora/runs beside it. Usual order: aurora_inspect_model, write the experiment, aurora_validate_experiment, aurora_preflight, aurora_run_experiment, aurora_follow_run until it has ended, aurora_explain_run, aurora_compare_runs. Paths are relative to the workspace folder, and nothing outside it is read. The user is asked before anything is trained, measured, exported or stopped. Quote the numbers of answers; do not estimate others.';

/**
 * Serves the tools on standard input and output until the client closes them. Everything else goes to standard error.
 *
 * @param isAllowed true if nobody is asked before a tool starts or stops anything
 */
export async function serve(host: ServerHost, isAllowed: boolean): Promise<void> {
  const sdk = await import('./sdk');
  const server = new sdk.Server(
    { name: 'aurora-lab', title: 'AuroRA Lab', version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  server.onerror = (e) => log(`The client sent something that is not understood: ${e.message}`);
  server.setRequestHandler(sdk.ListToolsRequestSchema, () => ({
    tools: Object.entries(TOOLS).map(([name, tool]) => toolEntry(name, tool)),
  }));
  server.setRequestHandler(sdk.CallToolRequestSchema, async ({ params }, extra: Extra) => {
    const tool = own(TOOL_WORK, params.name);
    if (!tool)
      throw new sdk.McpError(sdk.ErrorCode.InvalidParams, `There is no tool ${JSON.stringify(params.name)}.`);
    const { report, end } = progressReport(extra);
    try {
      return await call(tool, params.arguments ?? {}, extra, report);
    } catch (e) {
      return failure(e);
    } finally {
      end();
    }
  });

  async function call(
    tool: ToolWork,
    input: ToolInput,
    extra: Extra,
    progress: ToolHost['progress'],
  ): Promise<CallToolResult> {
    const { signal } = extra;
    const { doing, question, answer } = await tool.prepare(host.forCall({ signal, progress }), input);
    progress(doing);
    if (question)
      await requireConsent(await question(), {
        capabilities: server.getClientCapabilities(),
        isAllowed,
        elicit(params) {
          progress('Waiting for the user to answer…');
          return extra.sendRequest({ method: 'elicitation/create', params }, sdk.ElicitResultSchema, {
            signal,
            timeout: PATIENCE_MS,
          });
        },
      });
    return result(await answer());
  }

  const closed = new Promise<void>((resolve) => {
    server.onclose = resolve;
    process.stdin.once('end', resolve).once('close', resolve);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => resolve());
  });
  await server.connect(new sdk.StdioServerTransport());
  await closed;
  // Ends the calls, so that none of them starts anything while its programs end.
  await server.close();
  await host.end();
  process.stdin.destroy();
}

const toolEntry = (name: string, tool: ToolDefinition): Tool => ({
  name,
  title: tool.name,
  description: tool.forModel,
  inputSchema: { type: 'object', properties: tool.input, ...(tool.required && { required: tool.required }) },
  annotations: toolAnnotations(tool),
});

/** Facts also as data, unless they are cut. */
function result(answer: object | string): CallToolResult {
  const content: CallToolResult['content'] = [{ type: 'text', text: answerText(answer) }];
  if (typeof answer === 'string' || !isWhole(facts(answer))) return { content };
  return { content, structuredContent: JSON.parse(facts(answer)) as Record<string, unknown> };
}

/** An error for the language model, which can correct most of them. */
function failure(e: unknown): CallToolResult {
  const known = e instanceof AuroraError;
  if (!known) log(inspect(e));
  const error = known
    ? e
    : {
        message: `unexpected: ${(e as Error)?.message ?? String(e)}`,
        hint: 'This is a bug in AuroRA Lab; the log of the server shows where it happened.',
      };
  return { content: [{ type: 'text', text: errorAnswer(error) }], isError: true };
}

const log = (text: string): void => void process.stderr.write(`${text}\n`);
