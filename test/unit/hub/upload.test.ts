import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Hub } from '../../../src/hub/hub-client';
import type { HubSettings } from '../../../src/hub/hub-settings';
import {
  accountOf,
  createRepository,
  findRepository,
  holdsAdapter,
  isEmpty,
  otherFiles,
} from '../../../src/hub/upload/repository';
import { changeOf, localFiles, type LocalFile, upload } from '../../../src/hub/upload/upload';
import { repoName, requireRepoId } from '../../../src/experiment/repo-name';
import type { UploadEvent } from '../../../src/protocol/publish';
import { commitOf, largeFile, smallFile, someBytes, type Repository } from '../../hub/repository';
import { HubServer } from '../../hub/server';
import type { UploadFault, UploadRequest } from '../../hub/uploads';
import { scratchFolder } from '../../scratch';

const server = new HubServer();
const { uploads } = server;
const folder = join(scratchFolder('upload'), 'adapter');
const WEIGHTS = someBytes(300_000, 3);
const CONTENT: Record<string, Buffer> = {
  'README.md': Buffer.from('---\nbase_model: an-org/bert\n---\n\n# RTE\n'),
  'adapter_config.json': Buffer.from('{"peft_type":"LORA"}'),
  'adapter_model.safetensors': WEIGHTS,
  'notes/more.txt': Buffer.from('more\n'),
};
let files: LocalFile[];

beforeAll(async () => {
  await server.start();
  mkdirSync(join(folder, 'notes'), { recursive: true });
  for (const [path, bytes] of Object.entries(CONTENT)) writeFileSync(join(folder, path), bytes);
  files = await localFiles(folder);
});
afterAll(() => server.stop());
beforeEach(() => {
  server.repositories.length = 0;
  server.seen.length = 0;
  uploads.fault = () => undefined;
  uploads.objects.clear();
  uploads.stored.length = 0;
  uploads.commits.length = 0;
  uploads.role = 'write';
  uploads.chunk = Infinity;
});

function hubFor(more: Partial<HubSettings> = {}): Hub {
  const settings = { offline: false, xet: true, proxies: {}, certificates: [], cache: folder, ...more };
  return new Hub(
    { endpoint: server.endpoint, token: server.token, ...settings },
    { pause: () => 0.001, stallMs: 500 },
  );
}

/** Makes the first requests to a route fail, each in its way. */
function failing(route: UploadRequest['route'], ...faults: UploadFault[]): UploadFault[] {
  uploads.fault = (request) => (request.route === route ? faults.shift() : undefined);
  return faults;
}

const at = (id: string): Repository => server.repositories.find((r) => r.id === id)!;
const sent = (route: string) => server.seen.filter((r) => r.route === route);

/** Creates alice/rte and uploads to it. */
async function publish(hub = hubFor(), tell?: (event: UploadEvent) => void) {
  const repo = (await findRepository(hub, 'alice/rte')) ?? (await createRepository(hub, 'alice/rte', true));
  return upload(hub, repo, { files, title: 'An adapter', tell });
}

function expectPublished(): void {
  const there = at('alice/rte').files.filter(({ path }) => path !== '.gitattributes');
  expect(there.map(({ path }) => path).sort()).toEqual(Object.keys(CONTENT).sort());
  for (const { path, bytes } of there) expect(bytes.equals(CONTENT[path]), path).toBe(true);
}

describe('an upload', () => {
  it('creates a private repository and fills it by one commit', async () => {
    const { commit, isNew } = await publish();
    expect(at('alice/rte')).toMatchObject({ private: true, commit });
    expect([isNew, uploads.commits]).toEqual([true, ['An adapter']]);
    expectPublished();
    expect(sent('put').length).toBe(1);
    expect(at('alice/rte').files.find((f) => f.path === 'adapter_model.safetensors')!.sha256).toBeDefined();
  });

  it('sends the token to the hub alone, and never through the client library', async () => {
    uploads.chunk = 100_000;
    await publish();
    expect(sent('part').length).toBe(3);
    for (const { host, headers, body = '' } of server.seen) {
      expect(headers.includes(server.token)).toBe(host === 'hub');
      expect(body.includes(server.token)).toBe(false);
      expect(/Bearer undefined/.test(headers)).toBe(false);
    }
  });

  it('sends large files in parts where the hub asks for it', async () => {
    uploads.chunk = 100_001;

    await publish();
    expectPublished();
    expect(sent('complete').length).toBe(1);
  });

  it('makes no commit if everything is there, and sends only what has changed', async () => {
    const first = await publish();
    server.seen.length = 0;
    expect(await publish()).toEqual({ commit: first.commit, isNew: false });
    expect(server.seen.map(({ route }) => route)).toEqual(['info', 'tree', 'info', 'tree']);
    const repository = at('alice/rte');
    repository.files = [
      ...repository.files.filter((f) => f.path !== 'README.md'),
      smallFile('README.md', 'other'),
    ];
    repository.files.push(smallFile('picture.txt', 'theirs'));
    expect((await publish()).isNew).toBe(true);
    const [commit] = sent('commit').map(({ body }) => body!.split('\n'));
    expect(commit.length).toBe(2);
    expect(sent('batch')).toEqual([]);
    expect(at('alice/rte').files.map(({ path }) => path)).toContain('picture.txt');
  });

  it('reports bytes, and what it repeats', async () => {
    failing('put', { kind: 'status', status: 503 });
    const events: UploadEvent[] = [];
    await publish(hubFor(), (event) => events.push(event));
    const total = Object.values(CONTENT).reduce((sum, { length }) => sum + length, 0);
    expect(events.find((e) => e.kind === 'sending')).toMatchObject({
      path: 'adapter_model.safetensors',
      total,
    });
    expect(events.find((e) => e.kind === 'retrying')).toMatchObject({
      reason: expect.stringMatching(/responded with 503/),
    });
  });
});

it('goes through the proxy of the environment, to the storage too', async () => {
  const tunnels: string[] = [];
  const proxy = createServer().on('connect', ({ url = '' }, socket: Socket) => {
    tunnels.push(url);
    const there = connect(Number(url.split(':')[1]), '127.0.0.1');
    for (const each of [socket, there]) each.on('error', () => undefined);
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.pipe(there).pipe(socket);
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  const http = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  try {
    await publish(hubFor({ proxies: { http } }));
  } finally {
    proxy.close();
  }
  expectPublished();
  expect(new Set(tunnels.map((host) => `http://${host}`))).toEqual(
    new Set([server.endpoint, server.storage]),
  );
});

describe('a redirect', () => {
  const to = (status: number, location: string): UploadFault => ({
    kind: 'status',
    status,
    headers: { location },
  });

  it.each<UploadRequest['route']>(['create', 'put', 'commit'])(
    'of %s sends the content again',
    async (route) => {
      let redirected = 0;
      uploads.fault = ({ message, url }) =>
        uploads.route(url, message.method!, route === 'put' ? 'store' : 'hub') === route && redirected++ === 0
          ? to(route === 'put' ? 307 : 308, url.pathname + url.search)
          : undefined;
      await publish();
      expect(redirected).toBe(2);
      expectPublished();
    },
  );

  it('to another host has no token', async () => {
    failing('preupload', to(307, `${server.storage}/elsewhere`));
    await publish();
    const [elsewhere] = server.seen.filter(({ target }) => target === '/elsewhere');
    expect([elsewhere.host, elsewhere.headers.includes(server.token)]).toEqual(['store', false]);
  });
});

describe('what was interrupted', () => {
  it.each<[UploadRequest['route'], UploadFault[]]>([
    ['put', [{ kind: 'cut', after: 100_000 }, { kind: 'no answer' }]],
    [
      'put',
      [
        { kind: 'status', status: 403 },
        { kind: 'status', status: 500 },
      ],
    ],
    ['preupload', [{ kind: 'status', status: 429, headers: { 'retry-after': '0' } }, { kind: 'no answer' }]],
    ['batch', [{ kind: 'status', status: 502 }, { kind: 'no answer' }]],
    [
      'commit',
      [
        { kind: 'cut', after: 10 },
        { kind: 'status', status: 503 },
      ],
    ],
    ['create', [{ kind: 'status', status: 500 }, { kind: 'no answer' }]],
  ])('is repeated within one upload: %s', async (route, faults) => {
    const left = failing(route, ...faults);
    await publish();
    expect([left, uploads.commits.length]).toEqual([[], 1]);
    expectPublished();
    // An upload that arrived whole is not sent again.
    expect(uploads.stored.length).toBe(1);
  });

  it('is complete after a commit whose answer was lost, and there is no second one', async () => {
    failing('commit', { kind: 'no answer' });
    expect(await publish()).toMatchObject({ isNew: true, commit: at('alice/rte').commit });
    expect([uploads.commits.length, sent('commit').length]).toEqual([1, 1]);
  });

  it('gives up after a while; then nothing is visible, and the next upload continues', async () => {
    uploads.fault = ({ route }) => (route === 'commit' ? { kind: 'status', status: 503 } : undefined);
    await expect(publish()).rejects.toMatchObject({ kind: 'network' });
    expect(at('alice/rte').files.map(({ path }) => path)).toEqual(['.gitattributes']);
    uploads.fault = () => undefined;
    await publish();
    expectPublished();
    expect(uploads.stored.length).toBe(1);
  });

  it('does not repeat for ever what fails in one part', async () => {
    uploads.chunk = 100_000;
    uploads.fault = ({ url }) => (url.pathname.endsWith('/2') ? { kind: 'status', status: 500 } : undefined);
    await expect(publish()).rejects.toMatchObject({ kind: 'network' });
    expect(sent('part').filter(({ target }) => target.includes('/2?')).length).toBe(9);
  });
});

describe('a refusal', () => {
  const host = () => new URL(server.endpoint).host;

  it.each<[UploadRequest['route'], number, string, RegExp]>([
    ['preupload', 401, 'gated', /does not accept the token \(401\)/],
    ['preupload', 403, 'gated', /refuses the upload of alice\/rte with this token \(403\)/],
    ['create', 403, 'gated', /refuses the new repository alice\/rte with this token \(403\)/],
    ['commit', 409, 'usage', /was changed or created in the meantime \(409\)/],
    ['commit', 412, 'usage', /was changed or created in the meantime \(412\)/],
    ['put', 413, 'network', /refuses the upload of adapter_model\.safetensors \(413\)/],
    ['commit', 413, 'usage', /too large \(413\)/],
    ['commit', 400, 'network', /refuses the upload of alice\/rte \(400\)/],
    ['batch', 302, 'network', /\(302\)/],
  ])('of %s with %i is explained', async (route, status, kind, message) => {
    const body = { error: `Bad token ${server.token}\u001b[31m` };
    const headers = status === 302 ? { location: '/login' } : undefined;
    uploads.fault = (request) =>
      request.route === route ? { kind: 'status', status, body, headers } : undefined;
    const e: unknown = await publish().catch((error: unknown) => error);
    expect(e).toMatchObject({ kind, message: expect.stringMatching(message) });
    const text =
      JSON.stringify(e) + String(e) + String((e as Error).stack) + String((e as { hint?: string }).hint);
    expect(text).not.toContain(server.token);
    expect(text).not.toContain('secret-signature');
    expect((e as Error).message).not.toContain('\u001b');
    expect(uploads.commits).toEqual([]);
  });

  it('of a single large file is passed on', async () => {
    const error = { code: 403, message: 'Private repository storage limit reached' };
    const objects = [
      { oid: files.find((f) => f.path.endsWith('.safetensors'))!.sha256, size: 300_000, error },
    ];
    failing('batch', { kind: 'status', status: 200, body: { transfer: 'basic', objects } });
    await expect(publish()).rejects.toMatchObject({
      message: expect.stringMatching(/refuses the upload to alice\/rte: .*storage limit reached/),
    });
  });

  it('of a server that is not a hub names it', async () => {
    failing('preupload', { kind: 'status', status: 200, body: { hello: 1 } });
    await expect(publish()).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(/is not a compatible hub/),
    });
  });

  it('if the repository has changed since the user saw it', async () => {
    const hub = hubFor();
    const repo = await createRepository(hub, 'alice/rte', true);
    at('alice/rte').commit = commitOf('another');
    await expect(upload(hub, repo, { files, title: '' })).rejects.toMatchObject({
      kind: 'usage',
      message: 'alice/rte has changed since it was looked at.',
    });
  });

  it('if it changes during the upload: the hub compares the commit', async () => {
    uploads.fault = ({ route }) => {
      if (route === 'batch') at('alice/rte').commit = commitOf('another');
      return undefined;
    };
    await expect(publish()).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringMatching(
        /changed or created in the meantime \(412\)\. It says: A commit has happened since/,
      ),
    });
    expect(uploads.commits).toEqual([]);
  });

  it('if the hub makes a private repository public', async () => {
    const hub = hubFor();
    const push = server.repositories.push.bind(server.repositories);
    server.repositories.push = (...made) => push(...made.map((r) => ({ ...r, private: false })));
    try {
      await expect(createRepository(hub, 'alice/rte', true)).rejects.toMatchObject({
        message: `${host()} created alice/rte as a public repository, and not as a private one. Nothing was uploaded.`,
      });
    } finally {
      server.repositories.push = push;
    }
  });

  it('in offline mode, before any request', async () => {
    const hub = hubFor({ offline: true });
    await expect(accountOf(hub)).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(/^Offline mode/),
    });
    expect(server.seen).toEqual([]);
  });
});

describe('the account', () => {
  it('has the names under which it may publish', async () => {
    expect(await accountOf(hubFor())).toEqual({ name: 'alice', owners: ['alice', 'a-lab'] });
    uploads.role = 'fineGrained';
    expect((await accountOf(hubFor())).name).toBe('alice');
  });

  it('needs a token that may write', async () => {
    await expect(accountOf(hubFor({ token: undefined }))).rejects.toMatchObject({
      kind: 'gated',
      hint: `Create one with write access at ${server.endpoint}/settings/tokens, then set HF_TOKEN to it, run \`hf auth login\`, or sign in in the editor.`,
    });
    expect(server.seen).toEqual([]);
    uploads.role = 'read';
    await expect(accountOf(hubFor())).rejects.toMatchObject({
      kind: 'gated',
      message: 'The token of alice may only read.',
    });
    const wrong: unknown = await accountOf(hubFor({ token: 'hf_wrong' })).catch((e: unknown) => e);
    expect(wrong).toMatchObject({
      kind: 'gated',
      message: expect.stringMatching(/does not accept the token/),
    });
    expect(JSON.stringify(wrong) + String(wrong)).not.toContain('hf_wrong');
  });
});

it('a repository’s files say what it holds', () => {
  const repo = (...paths: string[]) =>
    ({ files: paths.map((path) => ({ path })) }) as Parameters<typeof isEmpty>[0];
  expect(isEmpty(repo('.gitattributes', 'README.md', 'LICENSE'))).toBe(true);
  expect(isEmpty(repo('.gitattributes', 'model.safetensors'))).toBe(false);
  expect(holdsAdapter(repo('adapter_config.json', 'README.md'))).toBe(true);
  expect(otherFiles(repo('README.md', 'config.json', 'LICENSE.txt'))).toEqual(['config.json']);
});

it('a file is the same by its own hash where it is large, and by the git blob’s where it is small', async () => {
  const [weights] = files.filter((f) => f.path.endsWith('.safetensors'));
  const listed = [largeFile(weights.path, WEIGHTS), smallFile(weights.path, WEIGHTS)];
  for (const { path, bytes, gitSha1, sha256 } of listed) {
    const there = { path, size: bytes.length, gitSha1, ...(sha256 && { sha256 }) };
    expect(changeOf(weights, [there])).toBe('unchanged');
    expect(changeOf({ ...weights, sha256: 'x', gitSha1: 'y' }, [there])).toBe('replaced');
  }
  expect(changeOf(weights, [])).toBe('new');
  expect(files.map(({ path }) => path)).toContain('notes/more.txt');
});

it.each([
  ['RTE with AuroRA', 'RTE-with-AuroRA'],
  ['rte', 'rte'],
  ['Über…  uns!', 'Uber-uns'],
  ['--a..b--.git', 'a.b-git'],
  ['文', 'adapter'],
])('a repository for the experiment %j is called %j', (text, name) => {
  expect(repoName(text)).toBe(name);
  expect(() => requireRepoId(`alice/${name}`)).not.toThrow();
});

it.each(['rte', 'a/b/c', 'a/-b', 'a/b--c', 'a/b..c', 'a/b.git', '../b', 'a/b c', `a/${'b'.repeat(96)}`])(
  'refuses %j as a repository',
  (id) => expect(() => requireRepoId(id)).toThrow(/cannot be the name of a repository/),
);
