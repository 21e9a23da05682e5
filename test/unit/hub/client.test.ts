import { beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../hub/faults';
import { commitOf, smallFile } from '../../hub/repository';
import { servedModel } from './hub';

const { server, model, hub: hubFor } = servedModel();
server.repositories.push(
  {
    kind: 'model',
    id: 'gpt2',
    commit: commitOf('gpt2'),
    refs: ['main'],
    files: [smallFile('config.json', '{}')],
  },
  {
    kind: 'model',
    id: 'an-org/gated',
    commit: commitOf('gated'),
    refs: ['main'],
    gated: 'manual',
    files: [smallFile('config.json', '{}')],
  },
  {
    kind: 'dataset',
    id: 'an-org/data',
    commit: commitOf('data'),
    refs: ['refs/convert/parquet'],
    private: true,
    tags: ['task_categories:text-classification', 'license:mit'],
    files: [smallFile('default/train/0000.parquet', 'PAR1')],
  },
);
beforeEach(() => {
  server.fault = () => undefined;
  server.pageSize = 1000;
  server.seen.length = 0;
});

/** Answers the next requests with these faults. */
function failing(...faults: Fault[]): void {
  server.fault = () => faults.shift();
}

describe('info', () => {
  it('names the commit of a branch and lists all files, over several pages', async () => {
    server.pageSize = 2;
    const info = await hubFor().info('model', 'an-org/a-model');
    expect(info).toMatchObject({
      id: 'an-org/a-model',
      revision: 'main',
      commit: model.commit,
      gated: false,
      private: false,
      task: 'fill-mask',
      licence: 'apache-2.0',
    });
    expect(info.files).toEqual(
      model.files.map(({ path, bytes, gitSha1, sha256, xet }) => ({
        path,
        size: bytes.length,
        gitSha1,
        ...(sha256 && { sha256 }),
        ...(xet && { xet }),
      })),
    );
    expect(server.seen.filter((r) => r.route === 'tree').length).toBe(4);
  });

  it('takes names without an organization, commits, and branches with slashes', async () => {
    const hub = hubFor({ token: server.token });
    expect((await hub.info('model', 'gpt2', commitOf('gpt2'))).id).toBe('gpt2');
    expect((await hub.info('model', 'an-org/a-model', 'refs/pr/1')).commit).toBe(model.commit);
    const data = await hub.info('dataset', 'an-org/data', 'refs/convert/parquet');
    expect(data).toMatchObject({ private: true, licence: 'mit', task: 'text-classification' });
  });

  it('repeats what fails for a moment, and says so when it gives up', async () => {
    failing({ kind: 'status', status: 503 }, { kind: 'hang up' }, { kind: 'cut', after: 20 });
    expect((await hubFor().info('model', 'gpt2')).id).toBe('gpt2');
    failing({ kind: 'stall', after: 5 }, { kind: 'cut without length', after: 20 });
    expect((await hubFor().info('model', 'gpt2')).id).toBe('gpt2');
    server.seen.length = 0;
    server.fault = () => ({ kind: 'status', status: 502 });
    const host = new URL(server.endpoint).host;
    await expect(hubFor().info('model', 'gpt2')).rejects.toMatchObject({
      kind: 'network',
      message: `${host} responded with 502 to the request for the model gpt2.`,
    });
    expect(server.seen.length).toBe(4);
  });

  it('does not let somebody wait for minutes', async () => {
    failing({ kind: 'status', status: 429, headers: { 'retry-after': '60' } });
    await expect(hubFor().info('model', 'gpt2')).rejects.toMatchObject({ kind: 'network' });
  });

  it.each([
    ['an-org/none', 'main', undefined, 'gated', /does not have the model an-org\/none, or it is private\.$/],
    [
      'an-org/none',
      'main',
      'token',
      'usage',
      /or it is private and your token does not give access to it\.$/,
    ],
    ['gpt2', 'no-branch', undefined, 'usage', /does not have this revision of the model gpt2\.$/],
  ])('explains that there is no %s@%s (token: %s)', async (id, revision, token, kind, message) => {
    const hub = hubFor(token ? { token: server.token } : {});
    await expect(hub.info('model', id, revision)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(message),
    });
  });

  it('follows a listing on the endpoint’s own host only, and a mirror’s pages on the mirror', async () => {
    server.pageSize = 2;
    const at = server.endpoint;
    const endpoint = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(server), 'endpoint')!;
    Object.defineProperty(server, 'endpoint', { value: 'https://huggingface.co', configurable: true });
    try {
      const hub = hubFor({ endpoint: at });
      expect((await hub.info('model', 'an-org/a-model')).files.length).toBe(model.files.length);
      Object.defineProperty(server, 'endpoint', { value: 'https://elsewhere.example', configurable: true });
      await expect(hub.info('model', 'an-org/a-model')).rejects.toMatchObject({
        message: 'The server is not a compatible hub: its listing continues on elsewhere.example.',
      });
    } finally {
      Object.defineProperty(server, 'endpoint', { ...endpoint, configurable: true });
    }
  });

  it.each(['../up', '/abs', 'a/../../b', 'a\\b', ''])(
    'refuses a listing with a file named %j',
    async (path) => {
      const files = [...model.files];
      model.files = [{ ...smallFile('x', ''), path }];
      try {
        await expect(hubFor().info('model', 'an-org/a-model')).rejects.toMatchObject({ kind: 'network' });
      } finally {
        model.files = files;
      }
    },
  );

  it('makes no request in offline mode', async () => {
    const hub = hubFor({ offline: true });
    await expect(hub.info('model', 'gpt2')).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(/^Offline mode is on, and the model gpt2 is not in /),
    });
    await expect(hub.search('model', 'gpt2')).rejects.toMatchObject({ kind: 'network' });
    expect(server.seen).toEqual([]);
  });
});

it('a search finds names and what is known of them', async () => {
  const found = await hubFor().search('model', 'A-MODEL', { limit: 5 });
  expect(found).toEqual([
    {
      kind: 'model',
      id: 'an-org/a-model',
      task: 'fill-mask',
      licence: 'apache-2.0',
      downloads: 1234,
      likes: 56,
      changed: '2026-01-02T03:04:05.000Z',
      size: model.files.reduce((sum, { bytes }) => sum + bytes.length, 0),
      gated: false,
      private: false,
    },
  ]);
  expect(server.seen[0].target).toContain('search=A-MODEL&limit=5&sort=downloads');
});

it('a card’s first lines are shown', async () => {
  const hub = hubFor();
  expect(await hub.card(await hub.info('model', 'an-org/a-model'))).toBe('# A model\n\nIt does something.');
  expect(await hub.card(await hub.info('model', 'gpt2'))).toBeUndefined();
});

describe('a range of a file', () => {
  const [small, large] = [model.files[1], model.files[4]];
  const open = async (more = {}) => {
    const hub = hubFor(more);
    const repo = await hub.info('model', 'an-org/a-model');
    const at = (path: string) => ({ repo, file: repo.files.find((f) => f.path === path)! });
    return { hub, small: at(small.path), large: at(large.path) };
  };

  it('is exactly the bytes asked for, of small files and of those on another host', async () => {
    const { hub, ...files } = await open();
    expect(Buffer.from(await hub.range(files.large, 8, 4096)).equals(large.bytes.subarray(8, 4096))).toBe(
      true,
    );
    expect(Buffer.from(await hub.range(files.small, 0, small.bytes.length)).toString()).toBe(
      '{"model_type":"bert"}',
    );
    expect(await hub.range(files.small, 5, 5)).toEqual(new Uint8Array());
    expect(hub.hosts.map((host) => `http://${host}`).sort()).toEqual(
      [server.endpoint, server.storage].sort(),
    );
    expect(server.seen.filter((r) => r.route === 'store').map((r) => r.range)).toEqual(['bytes=8-4095']);
  });

  it('is asked for again after an answer of another length, part or file', async () => {
    for (const fault of [
      { kind: 'wrong length', by: 5 },
      { kind: 'wrong length', by: -5 },
      { kind: 'wrong part', by: 8 },
      { kind: 'cut without length', after: 100 },
      { kind: 'status', status: 416 },
      { kind: 'status', status: 404 },
      { kind: 'status', status: 403 },
    ] as Fault[]) {
      const { hub, ...files } = await open();
      const faults = [fault];
      server.fault = ({ route }) => (route === 'store' ? faults.shift() : undefined);
      const bytes = await hub.range(files.large, 8, 4096);
      expect(Buffer.from(bytes).equals(large.bytes.subarray(8, 4096)), fault.kind).toBe(true);
      expect(faults).toEqual([]);
    }
  });

  it('sends the token to the endpoint and not to the host that has the file', async () => {
    const { hub, ...files } = await open({ token: server.token });
    await hub.range(files.large, 0, 8);
    const tokens = (host: string) =>
      server.seen.filter((r) => r.host === host).map((r) => r.headers.includes(server.token));
    expect(new Set(tokens('hub'))).toEqual(new Set([true]));
    expect(tokens('store')).toEqual([false]);
  });

  it('of a gated repository needs access, and the error says how to get it, without the token', async () => {
    const read = async (token?: string) => {
      const hub = hubFor(token === undefined ? {} : { token });
      const repo = await hub.info('model', 'an-org/gated');
      expect(repo.gated).toBe(true);
      return hub.range({ repo, file: repo.files[0] }, 0, 2).catch((e: unknown) => e);
    };
    expect(await read()).toMatchObject({
      kind: 'gated',
      message: expect.stringMatching(/^Access to the model an-org\/gated is gated/),
      hint: `Accept them at ${server.endpoint}/an-org/gated, then set HF_TOKEN to a token of your account, or sign in in the editor.`,
    });
    const refused = await read('hf_of_somebody_else');
    expect(refused).toMatchObject({ kind: 'gated' });
    expect(JSON.stringify(refused) + String((refused as Error).stack)).not.toContain('hf_of_somebody_else');
    expect(Buffer.from((await read(server.token)) as Uint8Array).toString()).toBe('{}');
  });
});

it('a redirect is not followed without encryption, nor for ever', async () => {
  const hub = hubFor();
  const info = await hub.info('model', 'gpt2');
  const file = { repo: info, file: info.files[0] };
  const location = `${server.endpoint}/loop`;
  server.fault = () => ({ kind: 'status', status: 302, headers: { location } });
  await expect(hub.range(file, 0, 2)).rejects.toMatchObject({
    message: expect.stringMatching(/redirects too often/),
  });
  server.fault = () => ({ kind: 'status', status: 302, headers: { location: 'file:///etc/passwd' } });
  await expect(hub.range(file, 0, 2)).rejects.toMatchObject({ kind: 'network' });
});

it('an unreachable server is named without the query of its address', async () => {
  const hub = hubFor({ endpoint: 'http://127.0.0.1:9' });
  await expect(hub.search('model', 'secret words')).rejects.toMatchObject({
    kind: 'network',
    message: 'The connection to 127.0.0.1:9 was lost (ECONNREFUSED).',
  });
});
