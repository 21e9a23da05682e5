import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  type ElicitRequest,
  ElicitRequestSchema,
  type ElicitResult,
} from '@modelcontextprotocol/sdk/types.js';
import { CLI } from './lab';

export interface Answer {
  text: string;
  /** The structured content. */
  data: Record<string, unknown>;
  isError: boolean;
}

/** An agent with a person who answers its questions, connected to `aurora mcp`. */
export interface Agent {
  client: Client;
  /** The server's process. */
  pid: number;
  /** The questions so far. */
  asked: string[];
  /** The answer of the person to the next questions; undefined in a client that cannot ask. */
  answer: (question: string) => ElicitResult | Promise<ElicitResult>;
  call(name: string, input?: object, options?: { onprogress?: (p: { message?: string }) => void; signal?: AbortSignal }): Promise<Answer>; // prettier-ignore
  /** Everything that the server wrote to standard error. */
  log(): string;
  close(): Promise<void>;
}

export const YES = (): ElicitResult => ({ action: 'accept', content: { agree: true } });
export const NO = (): ElicitResult => ({ action: 'decline' });

/** @param canAsk false for a client without elicitation */
export async function connect(args: readonly string[], canAsk = true): Promise<Agent> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [CLI, 'mcp', ...args],
    env: { ...(process.env as Record<string, string>) },
    stderr: 'pipe',
  });
  let log = '';
  transport.stderr?.on('data', (bytes: Buffer) => (log += bytes.toString()));
  const client = new Client(
    { name: 'test', version: '1' },
    { capabilities: canAsk ? { elicitation: { form: {} } } : {} },
  );
  const agent: Agent = {
    client,
    pid: 0,
    asked: [],
    answer: YES,
    async call(name, input = {}, options = {}) {
      const params = { name, arguments: { ...input } };
      const result = await client.callTool(params, undefined, { timeout: 600_000, ...options });
      const [first] = result.content as { text: string }[];
      return {
        text: first!.text,
        data: (result.structuredContent ?? {}) as Record<string, unknown>,
        isError: result.isError === true,
      };
    },
    log: () => log,
    close: () => client.close(),
  };
  if (canAsk)
    client.setRequestHandler(ElicitRequestSchema, ({ params }: ElicitRequest) => {
      agent.asked.push(params.message);
      return agent.answer(params.message);
    });
  await client.connect(transport);
  agent.pid = transport.pid!;
  return agent;
}
