import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { text as textOf } from 'node:stream/consumers';
import { CLI } from '../cli/lab';

interface Message {
  id?: string | number;
  method?: string;
}

/** A server of `aurora mcp` for each session, with its answers by the id of their requests. */
class Session {
  readonly child: ChildProcess;
  private readonly waiting = new Map<unknown, (line: string) => void>();

  constructor(folder: string) {
    this.child = spawn(process.execPath, [CLI, 'mcp', folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      const { id, method } = JSON.parse(line) as Message;
      // A request of the server is not an answer.
      if (method === undefined) this.waiting.get(id)?.(line);
    });
  }

  /** @returns the line with the answer; undefined for a notification */
  async send(message: Message): Promise<string | undefined> {
    const answer = new Promise<string>((resolve) => this.waiting.set(message.id, resolve));
    this.child.stdin!.write(`${JSON.stringify(message)}\n`);
    return message.id === undefined ? undefined : answer;
  }
}

/**
 * The protocol's HTTP transport in front of `aurora mcp`, which the conformance suite needs. It passes each message on as it is;
 * answers are plain JSON, so that requests of the server do not get through.
 */
export class Bridge {
  private readonly sessions = new Map<string, Session>();
  private readonly http = createServer((request, response) => {
    this.handle(request, response).catch((e: Error) => response.writeHead(500).end(e.message));
  });

  constructor(private readonly folder: string) {}

  /** @returns the URL of the server */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}/mcp`;
  }

  stop(): void {
    for (const { child } of this.sessions.values()) child.stdin!.end();
    this.http.close();
    this.http.closeAllConnections();
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'DELETE') return void response.writeHead(200).end();
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const message = JSON.parse(await textOf(request)) as Message;
    const id = message.method === 'initialize' ? randomUUID() : String(request.headers['mcp-session-id']);
    if (message.method === 'initialize') this.sessions.set(id, new Session(this.folder));
    const session = this.sessions.get(id);
    if (!session) return void response.writeHead(404).end();
    const answer = await session.send(message);
    if (answer === undefined) return void response.writeHead(202).end();
    response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': id }).end(answer);
  }
}
