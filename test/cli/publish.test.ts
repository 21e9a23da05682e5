import { createHash } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import { sortedJson } from '../../src/base/sorted-json';
import type { PublishLine } from '../../src/protocol/publish';
import { dice } from '../hub/fault-plan';
import { commitOf, largeFile, smallFile, type Repository } from '../hub/repository';
import { HubServer } from '../hub/server';
import { CLI, Lab, type Outcome } from './lab';

/** Change it to try another campaign. */
const SEED = 18;
const KILLS = 4;

const lab = new Lab({ training: { epochs: 1, evaluateEvery: 6 } });
const server = new HubServer();
const { uploads } = server;
const FIXTURES = resolve('test/fixtures');
const fixture = (path: string) => readFileSync(join(FIXTURES, path));
let run = '';

const bert: Repository = {
  kind: 'model',
  id: 'an-org/bert',
  commit: commitOf('bert'),
  refs: ['main'],
  tags: ['license:apache-2.0'],
  files: [
    smallFile('README.md', '---\nlicense: apache-2.0\n---\n\n# BERT\n'),
    smallFile('config.json', fixture('hf/bert/config.json')),
    smallFile('tokenizer.json', fixture('data/wordpiece/tokenizer.json')),
    smallFile('tokenizer_config.json', fixture('data/wordpiece/tokenizer_config.json')),
    largeFile('model.safetensors', fixture('hf/bert/model.safetensors')),
  ],
};

/** The program; the server runs in this process, so that it must not be blocked. */
function start(args: readonly string[], token: string | undefined): ChildProcess {
  const env = {
    ...process.env,
    HF_ENDPOINT: server.endpoint,
    HF_HUB_CACHE: lab.path('cache'),
    HF_TOKEN_PATH: lab.path('no-token'),
    HF_TOKEN: token,
    TMPDIR: lab.path('tmp'),
  };
  return spawn(process.execPath, [CLI, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
}

function aurora(
  args: readonly string[],
  input = '',
  token: string | undefined = server.token,
): Promise<Outcome> {
  const child = start(args, token);
  const read = { out: '', err: '' };
  child.stdout!.on('data', (part) => (read.out += String(part)));
  child.stderr!.on('data', (part) => (read.err += String(part)));
  child.stdin!.on('error', () => undefined).end(input);
  return new Promise((done) => child.on('close', (code) => done({ code, ...read })));
}

const lines = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as PublishLine);
const line = <K extends PublishLine['kind']>(out: string, kind: K) =>
  lines(out).find((l): l is Extract<PublishLine, { kind: K }> => l.kind === kind)!;
const at = (id: string) => server.repositories.find((r) => r.id === id);
const visible = (id: string) => at(id)?.files.map(({ path }) => path) ?? [];
/** Requests that change something. */
const changes = () => server.seen.filter(({ route }) => ['create', 'batch', 'put', 'commit'].includes(route));

beforeAll(async () => {
  await server.start();
  server.repositories.push(bert);
  mkdirSync(lab.path('tmp'), { recursive: true });
  const got = await aurora(['get', 'model', 'an-org/bert', '--yes']);
  expect([got.code, got.err]).toEqual([EXIT.ok, expect.anything()]);
  const out = lab.path('runs');
  const trained = await aurora([
    ...['train', lab.experiment, '--out', out, '--device', 'cpu'],
    ...['--set', `model.path=hf://an-org/bert@${bert.commit}`],
  ]);
  expect([trained.code, trained.err]).toEqual([EXIT.ok, expect.anything()]);
  [run] = lab.runs(out);
});
afterAll(() => {
  server.stop();
  lab.remove();
});
beforeEach(() => {
  server.repositories.splice(1);
  server.seen.length = 0;
  server.receiving = () => undefined;
  uploads.objects.clear();
  uploads.stored.length = 0;
  uploads.commits.length = 0;
});

describe('aurora publish', () => {
  it('shows what it would upload, and uploads nothing without a yes', async () => {
    const open = await aurora(['publish', run]);
    expect(open).toMatchObject({ code: EXIT.usage, out: '' });
    expect(open.err).toContain('Add --yes to upload without asking.');
    expect(open.err).toContain(
      `, to the new repository alice/tiny on ${new URL(server.endpoint).host} and the storage that it names. Only you, and those to whom`,
    );
    expect(open.err).toMatch(/\nadapter_model\.safetensors +[\d.]+ KB/);
    const declined = await aurora(['publish', run, '--json'], 'no\n');
    expect([declined.code, lines(declined.out).at(-1)]).toEqual([EXIT.ok, { kind: 'declined' }]);
    expect((await aurora(['publish', run, '--json'])).code).toBe(EXIT.usage);
    expect([changes(), at('alice/tiny')]).toEqual([[], undefined]);
  });

  it('uploads PEFT’s files with the card, for the base model at its commit, and then has nothing to do', async () => {
    const { code, out, err } = await aurora(['publish', run, '--to', 'a-lab/rte', '--json'], 'yes\n');
    expect([code, err]).toEqual([EXIT.ok, expect.anything()]);
    expect(line(out, 'plan')).toMatchObject({
      repo: 'a-lab/rte',
      isNew: true,
      base: 'an-org/bert',
      warnings: [],
      exported: { form: 'peft-lora', merge: 'fitted' },
    });
    const published = line(out, 'published');
    expect(published).toMatchObject({ repo: 'a-lab/rte', private: true, isNew: true });
    expect(at('a-lab/rte')).toMatchObject({ private: true, commit: published.commit });
    expect(published.hosts.map((host) => `http://${host}`)).toEqual([server.endpoint, server.storage]);
    const file = (path: string) =>
      at('a-lab/rte')!
        .files.find((f) => f.path === path)!
        .bytes.toString();
    expect(JSON.parse(file('adapter_config.json'))).toMatchObject({
      base_model_name_or_path: 'an-org/bert',
      revision: bert.commit,
      peft_type: 'LORA',
    });
    expect(file('README.md')).toContain('base_model: "an-org/bert"');
    expect(file('README.md')).toContain('license: apache-2.0');
    expect(file('README.md')).not.toContain(lab.folder);
    expect(JSON.parse(file('export.json'))).toMatchObject({
      form: 'peft-lora',
      merge: 'fitted',
      run: basename(run),
    });

    server.seen.length = 0;
    const again = await aurora(['publish', run, '--to', 'a-lab/rte', '--json']);
    expect(again.code).toBe(EXIT.ok);
    expect(line(again.out, 'published')).toMatchObject({ isNew: false, commit: published.commit });
    expect(changes()).toEqual([]);
    expect(readdirSync(lab.path('tmp'))).toEqual([]);
  });

  it('uploads what was trained with --as adapter', async () => {
    const { code, out } = await aurora(['publish', run, '--as', 'adapter', '--json'], 'yes\n');
    expect(code).toBe(EXIT.ok);
    expect(line(out, 'plan').exported).toMatchObject({ form: 'adapter' });
    expect(visible('alice/tiny')).toContain('aurora_peft_loader.py');
    const { metrics, drop } = line(out, 'plan').exported;
    expect(metrics.exported).toEqual(metrics.trained);
    expect(drop.loss).toBe(0);
    const refused = await aurora(['publish', run, '--as', 'x', '--yes']);
    expect([refused.code, refused.err]).toEqual([
      EXIT.usage,
      expect.stringContaining('--as takes peft-lora or adapter, not "x".'),
    ]);
  });

  it('uploads the certificate of a claim that the run was tested in, and no other', async () => {
    const claim = {
      ...{ relation: 'better', of: 'each', metric: 'accuracy', by: 0.01, on: 'validation', seed: 1 },
      methods: [{}],
      sides: [
        { method: 0, form: 'trained' },
        { method: 0, form: 'fitted' },
      ],
      search: { parameters: {}, seeds: 1, extend: 0 },
    };
    const looks = [{ seeds: 5, level: 0.005 }];
    const frozen = { version: 1, claim, experiment: {}, files: [], looks };
    const sealed = {
      ...{ version: 1, sentence: 'A claim.', verdict: 'open', generalizes: true, frozen },
      ...{ seeds: { search: [1], test: [2] }, looks: [], leftOut: [] },
      methods: [{ label: 'AuroRA r=2', parameters: 1, tried: [], chosen: {} }],
      hash: createHash('sha256').update(sortedJson(frozen)).digest('hex'),
    };
    const sum = 'a'.repeat(64);
    const tested = {
      phase: 'test',
      method: 0,
      seed: 2,
      step: 6,
      spec: sum,
      adapter: sum,
      results: {},
      values: {},
    };
    const write = (of: string) =>
      lab.write('claims/first.json', JSON.stringify({ ...sealed, runs: [{ ...tested, run: of }] }));
    const publish = () =>
      aurora([
        ...['publish', run, '--to', 'certified', '--as', 'adapter', '--yes'],
        ...['--certificate', lab.path('claims/first.json')],
      ]);
    write('another');
    expect(await publish()).toMatchObject({ code: 2, err: expect.stringContaining('did not use the run') });
    write(basename(run));
    expect(await publish()).toMatchObject({ code: 0 });
    expect(visible('alice/certified')).toEqual(
      expect.arrayContaining(['certificate.json', 'certificate.md']),
    );
  });

  it('refuses a LoRA that loses too much where nobody is asked, and shows the loss where somebody is', async () => {
    const out = lab.path('lossy');
    const adapter = { method: 'aurora', activation: 'sigmoid', alpha: 64, targetModules: ['query', 'value'] };
    const training = { epochs: 3, learningRate: 0.05, metric: 'loss' };
    const settings = { adapter: JSON.stringify(adapter), training: JSON.stringify(training) };
    const set = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const trained = await aurora(['train', lab.experiment, '--out', out, '--device', 'cpu', ...set]);
    expect([trained.code, trained.err]).toEqual([EXIT.ok, expect.anything()]);
    const publish = ['publish', lab.runs(out)[0], '--at', 'last', '--merge', 'paper'];
    const refused = await aurora([...publish, '--yes']);
    expect(refused).toMatchObject({ code: EXIT.drop, out: '' });
    expect(refused.err).toMatch(/PEFT LoRA: loss changes from .*\n {7}Publish it with --accept-drop/);
    expect([changes(), at('alice/tiny')]).toEqual([[], undefined]);
    const shown = await aurora([...publish], 'no\n');
    expect(shown.err).toMatch(
      /It is a LoRA, made by the paper’s merge: loss is [\d.]+ on the validation data/,
    );
    const asked = await aurora([...publish, '--json'], 'no\n');
    expect(line(asked.out, 'plan').exported.drop.loss).toBeGreaterThan(1);
  });

  it('sends the token to the hub alone, and writes it nowhere', async () => {
    const { out, err } = await aurora(['publish', run, '--accept-drop', '--yes']);
    expect(out).toMatch(/^The adapter was published as http:.*\/alice\/tiny, at commit [0-9a-f]{7}\.\n$/);
    expect(out + err).not.toContain(server.token);
    for (const { host, headers, body = '' } of server.seen) {
      expect(headers.includes(server.token)).toBe(host === 'hub');
      expect(body).not.toContain(server.token);
    }
    for (const name of readdirSync(lab.folder, { recursive: true, encoding: 'utf8' })) {
      const path = lab.path(name);
      if (lstatSync(path).isFile()) expect(readFileSync(path).includes(server.token), name).toBe(false);
    }
  });

  it(`leaves nothing visible when it is killed, ${KILLS} times, and sends nothing twice that had arrived`, async () => {
    const random = dice(SEED);
    const routes = ['create', 'preupload', 'batch', 'put', 'commit'];
    let kills = 0;
    for (let starts = 0; kills < KILLS; starts++) {
      expect(starts).toBeLessThan(3 * KILLS);
      const route = routes[random.below(kills < KILLS / 2 ? 4 : 5)];
      const child = start(['publish', run, '--accept-drop', '--yes'], server.token);
      server.receiving = (request) => {
        if (request.route !== route || child.killed) return;
        child.kill('SIGKILL');
        kills++;
      };
      const code = await new Promise((done) => child.on('close', done));
      const paths = visible('alice/tiny').filter((path) => path !== '.gitattributes');
      // All or nothing; a commit that had arrived when the program was killed counts.
      expect(paths.length === 0 || paths.includes('adapter_model.safetensors'), paths.join(' ')).toBe(true);
      expect(uploads.commits.length).toBe(paths.length === 0 ? 0 : 1);
      // Published files are removed, so that there is something to do.
      if (code === 0 || paths.length > 0) {
        server.repositories.splice(1);
        uploads.objects.clear();
        uploads.stored.length = 0;
        uploads.commits.length = 0;
      }
    }
    server.receiving = () => undefined;
    expect((await aurora(['publish', run, '--accept-drop', '--yes'])).code).toBe(EXIT.ok);
    expect(visible('alice/tiny')).toContain('adapter_model.safetensors');
    expect(uploads.commits.length).toBe(1);
    expect(uploads.stored.length).toBe(new Set(uploads.stored).size);
  });

  it('can be stopped with Ctrl-C, which removes its temporary files and leaves nothing visible', async () => {
    for (const name of readdirSync(lab.path('tmp'))) rmSync(lab.path(`tmp/${name}`), { recursive: true });
    const child = start(['publish', run, '--accept-drop', '--yes'], server.token);
    server.receiving = ({ route }) => void (route === 'put' && child.kill('SIGINT'));
    expect(await new Promise((done) => child.on('close', done))).toBe(EXIT.stopped);
    expect(readdirSync(lab.path('tmp'))).toEqual([]);
    expect([visible('alice/tiny'), uploads.commits]).toEqual([['.gitattributes'], []]);
  });

  const other = (id: string, files: string[], more: Partial<Repository> = {}): Repository => ({
    kind: 'model',
    id,
    commit: commitOf(id),
    refs: ['main'],
    files: files.map((path) => smallFile(path, `{"run":"another-${path}"}`)),
    private: true,
    ...more,
  });

  it.each<[string, Repository | undefined, string[], number, RegExp]>([
    ['somebody else’s', undefined, ['--to', 'bob/rte'], EXIT.gated, /bob\/rte is not a repository of alice/],
    [
      'a model',
      other('alice/rte', ['config.json']),
      ['--to', 'rte'],
      EXIT.usage,
      /something else than an adapter \(config\.json\)/,
    ],
    [
      'public',
      other('alice/rte', [], { private: false }),
      ['--to', 'rte'],
      EXIT.usage,
      /alice\/rte is public/,
    ],
    [
      'another run’s',
      other('alice/tiny', ['adapter_config.json', 'export.json']),
      [],
      EXIT.usage,
      /of another run already \(another-export\.json\)/,
    ],
    ['no name', undefined, ['--to', 'a b'], EXIT.usage, /cannot be the name/],
  ])(
    'refuses a repository that is %s, before the adapter is measured',
    async (_, repository, args, code, message) => {
      if (repository) server.repositories.push(repository);
      const refused = await aurora(['publish', run, '--accept-drop', '--yes', ...args]);
      expect([refused.code, refused.err]).toEqual([code, expect.stringMatching(message)]);
      expect(refused.err).not.toContain('Measuring');
      expect(changes()).toEqual([]);
    },
  );

  it('replaces the adapter of another run with --to, and warns', async () => {
    server.repositories.push(other('alice/rte', ['adapter_config.json', 'export.json', 'picture.txt']));
    const { code, out } = await aurora(['publish', run, '--to', 'rte', '--public', '--json'], 'yes\n');
    expect(code).toBe(EXIT.ok);
    expect(line(out, 'plan').warnings).toEqual([
      'It replaces the adapter of another run (another-export.json).',
      'The repository exists and stays private: change that in its settings on the hub.',
    ]);
    expect(visible('alice/rte')).toContain('picture.txt');
  });

  it('needs a token', async () => {
    const { code, err } = await aurora(['publish', run, '--accept-drop', '--yes'], '', '');
    expect([code, err]).toEqual([EXIT.gated, expect.stringContaining('needs an access token of the hub')]);
    expect(server.seen).toEqual([]);
  });
});
