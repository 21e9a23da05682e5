import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The response to a request: the whole file, half of it followed by a stall or an end, or a status code. */
export type Manner = 'whole' | 'hang' | 'break' | number;

/** Serves files from memory. The response can be set for each path. */
export class Files {
  readonly seen: string[] = [];
  private readonly files = new Map<string, { bytes: Buffer; type: string }>();
  private readonly redirects = new Map<string, string>();
  private readonly manners = new Map<string, Manner>();

  add(path: string, bytes: Buffer | object): void {
    const json = !Buffer.isBuffer(bytes);
    this.files.set(path, {
      bytes: json ? Buffer.from(JSON.stringify(bytes)) : bytes,
      type: json ? 'application/json' : 'application/octet-stream',
    });
  }

  /** Redirects further requests for `path` to `address`. */
  redirect(path: string, address: string): void {
    this.redirects.set(path, address);
  }

  /** Sets the response to further requests. */
  answer(path: string, manner: Manner): void {
    this.manners.set(path, manner);
  }

  readonly listener: RequestListener = (request, response) => {
    const path = request.url!;
    this.seen.push(path);
    const location = this.redirects.get(path);
    if (location !== undefined) {
      response.writeHead(302, { location }).end();
      return;
    }
    const file = this.files.get(path);
    const manner = this.manners.get(path) ?? (file ? 'whole' : 404);
    if (typeof manner === 'number' || !file) {
      response.writeHead(manner as number, { 'content-type': 'text/html' }).end('<html>no</html>');
      return;
    }
    response.writeHead(200, { 'content-type': file.type, 'content-length': file.bytes.length });
    if (manner === 'whole') response.end(file.bytes);
    else half(response, file.bytes, manner);
  };
}

function half(response: ServerResponse, bytes: Buffer, manner: 'hang' | 'break'): void {
  response.write(bytes.subarray(0, bytes.length / 2), () => {
    if (manner === 'break') setTimeout(() => response.destroy(), 300);
  });
}

const opened: { server: Server; sockets: Set<Socket> }[] = [];
const certificates: string[] = [];

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (s: Socket) => void sockets.add(s.once('error', () => s.destroy())));
  opened.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

export function closeAll(): void {
  for (const { server, sockets } of opened.splice(0)) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
  for (const folder of certificates.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** @returns its address, with a trailing slash */
export const serve = async (files: Files): Promise<string> =>
  `http://127.0.0.1:${await listen(createServer(files.listener))}/`;

/**
 * Serves `host` over TLS behind a proxy, as in a corporate network.
 *
 * @returns the environment in which clients find and trust it
 */
export async function serveBehindProxy(files: Files, host: string): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const name = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  execFileSync('openssl', ['req', '-x509', ...curve, ...name, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  const options = { key: readFileSync(key), cert: readFileSync(cert) };
  certificates.push(folder);
  const port = await listen(createSecureServer(options, files.listener) as unknown as Server);
  const proxy = createServer();
  proxy.on('connect', (request, client: Socket) => {
    files.seen.push(`CONNECT ${request.url}`);
    const server = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    server.once('error', () => client.destroy());
    client.once('error', () => server.destroy());
  });
  return { HTTPS_PROXY: `http://127.0.0.1:${await listen(proxy)}`, NODE_EXTRA_CA_CERTS: cert };
}
