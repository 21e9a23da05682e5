import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Hub } from '../../../src/hub/hub-client';
import { download } from '../../../src/hub/download/download';
import type { HubSettings } from '../../../src/hub/hub-settings';
import type { RepoInfo } from '../../../src/hub/types';
import { commitOf, smallFile } from '../../hub/repository';
import { scratchFolder } from '../../scratch';

const commit = commitOf('hostile');
const root = scratchFolder('hostile');
const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

/** A client of a server that answers as it likes. */
async function hubOf(
  answer: (message: IncomingMessage, response: ServerResponse, count: number) => void,
  more: Partial<HubSettings> = {},
): Promise<Hub> {
  let count = 0;
  const server = createServer((message, response) => answer(message, response, count++));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = {
    endpoint,
    cache: root,
    offline: false,
    xet: true,
    proxies: {},
    certificates: [],
    ...more,
  };
  return new Hub(settings, { pause: () => 0.001, stallMs: 2000 });
}

/** Answers for a repository, with the given files on each page of its listing. */
const listing =
  (files: (response: ServerResponse, count: number) => object[]) =>
  ({ url }: IncomingMessage, response: ServerResponse, count: number) =>
    response.end(
      JSON.stringify(url!.includes('/revision/') ? { id: 'a/b', sha: commit } : files(response, count)),
    );
const listed = (path: string) => ({ type: 'file', path, size: 1, oid: commit });

it('a listing that does not end is given up', async () => {
  const hub = await hubOf(
    listing((response, count) => {
      response.setHeader('link', `</api/models/a/b/tree/${commit}?cursor=${count}>; rel="next"`);
      return [];
    }),
  );
  await expect(hub.info('model', 'a/b')).rejects.toMatchObject({
    kind: 'network',
    message: expect.stringMatching(/its listing of a\/b does not end\.$/) as string,
  });
});

it('a listing may have all files in one page', async () => {
  const hub = await hubOf(listing(() => Array.from({ length: 300_000 }, (_, i) => listed(`f${i}`))));
  expect((await hub.info('model', 'a/b')).files.length).toBe(300_000);
});

it('a server that always sends too much of a file is given up', async () => {
  let requests = 0;
  const hub = await hubOf((_, response, count) => {
    requests++;
    if (count > 50) return void response.writeHead(404).end();
    response.writeHead(206, { 'content-range': 'bytes 0-9/10' }).write('0123456');
    setTimeout(() => response.end('789ab'), 5);
  });
  const { path, bytes, gitSha1 } = smallFile('config.json', '0123456789');
  const files = [{ path, size: bytes.length, gitSha1 }];
  const known = { kind: 'model', id: 'a/b', revision: commit, commit, gated: false, private: false } as const;
  const info: RepoInfo = { ...known, files };
  await expect(download(hub, info, [path])).rejects.toMatchObject({
    message: expect.stringMatching(/sends another length/) as string,
  });
  expect(requests).toBeLessThan(10);
});

it('a part that is far inside a file is not taken from a server that sends only the whole', async () => {
  const size = 1_000_000_000;
  let sent = 0;
  const hub = await hubOf((_, response) => {
    const piece = Buffer.alloc(1 << 20);
    response.writeHead(200, { 'content-length': size });
    const more = () => {
      sent += piece.length;
      response.write(piece, (e) => (e ? undefined : more()));
    };
    more();
  });
  const repo = { kind: 'model', id: 'a/b', commit } as const;
  const file = { path: 'model.safetensors', size, gitSha1: commit };
  await expect(hub.range({ repo, file }, size - 10, size)).rejects.toMatchObject({
    kind: 'network',
    message: expect.stringMatching(/sends model\.safetensors only as a whole\.$/) as string,
  });
  expect(sent).toBeLessThan(50_000_000);
});

it.each([
  ['../../whoami-v2', 'main'],
  ['https://huggingface.co/FacebookAI/roberta-base', 'main'],
  ['a/b?x=', 'main'],
  ['', 'main'],
  ['a/b', '../../../x'],
  ['a/b', 'a b'],
  ['a/b', ''],
])('asks nothing about the repository %j at %j', async (name, revision) => {
  let requests = 0;
  const hub = await hubOf((_, response) => void (requests++, response.end()));
  await expect(hub.info('model', name, revision)).rejects.toMatchObject({ kind: 'usage' });
  expect(requests).toBe(0);
});

it.each(['http://user:a-password@[bad', 'ftp://user:a-password@proxy'])(
  'explains an address of a proxy that cannot be read, without its password: %s',
  async (https) => {
    const hub = await hubOf(() => undefined, { proxies: { https } });
    const error = await hub.info('model', 'a/b').catch((e: unknown) => e as Error);
    expect(error).toMatchObject({ kind: 'usage', message: 'The address of the proxy cannot be read.' });
    expect(JSON.stringify({ ...error }) + (error as Error).stack).not.toContain('a-password');
  },
);

it('explains a token that cannot be sent, without it', async () => {
  const hub = await hubOf(() => undefined, { token: 'hf_a\u0001secret é' });
  const error = (await hub.info('model', 'a/b').catch((e: unknown) => e)) as Error;
  expect(error).toMatchObject({ kind: 'usage' });
  expect(String(error.stack)).not.toContain('secret');
});

it.each([
  'mirror.example',
  'file:///etc',
  'user:a-password@mirror',
  'https://user:a-password@mirror.example',
])('takes no hub at %s', async (endpoint) => {
  const error = (await hubOf(() => undefined, { endpoint }).catch((e: unknown) => e)) as Error;
  expect(error).toMatchObject({ kind: 'usage' });
  expect(error.message).not.toContain('a-password');
});

it.each(['its answer', 'its headers', 'a file'])(
  'a server that sends %s byte by byte is given up',
  async (what) => {
    let requests = 0;
    const { path, bytes, gitSha1 } = smallFile('config.json', 'x'.repeat(100_000));
    const hub = await hubOf((message, response) => {
      requests++;
      let at = 0;
      const trickle = (text: string | Buffer, write: (piece: string | Buffer) => void) => {
        const timer = setInterval(() => write(text.slice(at, ++at)), 50);
        message.socket.once('close', () => clearInterval(timer));
      };
      if (what === 'its headers') {
        const { socket } = message;
        trickle(`HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(10_000)}`, (piece) => socket.write(piece));
      } else if (what === 'a file') {
        const range = /(\d+)-(\d+)/.exec(message.headers.range!)!;
        const [start, end] = [Number(range[1]), Number(range[2]) + 1];
        response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` });
        trickle(bytes.subarray(start, end), (piece) => response.write(piece));
      } else
        trickle(JSON.stringify({ id: 'a/b', sha: commit, more: 'x'.repeat(10_000) }), (p) =>
          response.write(p),
        );
    });
    const info: RepoInfo = {
      ...{ kind: 'model', id: 'a/b', revision: commit, commit, gated: false, private: false },
      files: [{ path, size: bytes.length, gitSha1 }],
    };
    const asked = what === 'a file' ? download(hub, info, [path]) : hub.info('model', 'a/b');
    await expect(asked).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(
        what === 'its headers' ? /sent nothing/ : /less than 1 KB per second/,
      ) as string,
    });
    expect(requests).toBeLessThan(15);
  },
);

it('a reader that is slower than the server is waited for', async () => {
  const { path, bytes, gitSha1 } = smallFile('config.json', 'x'.repeat(2_000_000));
  const hub = await hubOf((_, response) =>
    response.writeHead(200, { 'content-length': bytes.length }).end(bytes),
  );
  const repo = { kind: 'model', id: 'a/b', commit } as const;
  const { body } = await hub.open({ repo, file: { path, size: bytes.length, gitSha1 } }, 0, bytes.length);
  let read = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    // Longer than the time after which a silent server is given up.
    if (read === 0) await new Promise((done) => setTimeout(done, 4500));
    read += piece.length;
  }
  expect(read).toBe(bytes.length);
});

it.each([
  ['http://mirror.example', true],
  ['http://192.168.1.7:8080', true],
  ['http://127.0.0.1.example.org', true],
  ['http://localhost.example.org', true],
  ['https://mirror.example', false],
  ['http://localhost:8080', false],
  ['http://127.0.0.2', false],
  ['http://[::1]:80', false],
])('a hub at %s gets no token: %s', async (endpoint, withheld) => {
  const hub = await hubOf(() => undefined, { endpoint, token: 'hf_secret' });
  expect(hub.http.withholds).toBe(withheld);
  expect((await hubOf(() => undefined, { endpoint })).http.withholds).toBe(false);
});

it('a token does not go to a hub that anyone on the network could read, and a refusal says so', async () => {
  const seen: (string | undefined)[] = [];
  const hub = await hubOf(({ headers }, response) => {
    seen.push(headers.authorization);
    response.writeHead(401, { 'x-error-code': 'GatedRepo' }).end();
  });
  const { port } = hub.http.endpoint;
  // A name that resolves to this machine without being one of its own addresses.
  const settings = { ...hub.settings, endpoint: `http://0.0.0.0:${port}`, token: 'hf_secret' };
  await expect(new Hub(settings, { pause: () => 0.001 }).info('model', 'a/b')).rejects.toMatchObject({
    kind: 'gated',
    hint: expect.stringMatching(/begins with https:/) as string,
  });
  const own = { ...settings, endpoint: `http://127.0.0.1:${port}` };
  await expect(new Hub(own, { pause: () => 0.001 }).info('model', 'a/b')).rejects.toMatchObject({
    kind: 'gated',
  });
  expect(seen).toEqual([undefined, 'Bearer hf_secret']);
});
