import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Accounts } from '../hub/accounts';
import { dice, FaultPlan } from '../hub/fault-plan';
import { buildProgram, OUR_FAULT, startProgram, type End, type Moment } from '../hub/program';
import { commitOf, largeFile, smallFile, someBytes, type Repository } from '../hub/repository';
import { HubServer } from '../hub/server';
import { scratchFolder } from '../scratch';

/** Change it to try another campaign. */
const SEED = 18;
const BLOCK = 1 << 20;
const KILLS = 40;
const MOST_STARTS = 150;

const MODEL: Repository = {
  kind: 'model',
  id: 'an-org/a-model',
  commit: commitOf('a model'),
  refs: ['main'],
  task: 'fill-mask',
  gated: 'auto',
  tags: ['license:mit'],
  files: [
    smallFile('.gitattributes', '*.safetensors filter=lfs diff=lfs merge=lfs -text\n'),
    smallFile('README.md', '---\nlicense: mit\n---\n\n# A model\n'),
    smallFile('config.json', JSON.stringify({ model_type: 'bert', hidden_size: 768 })),
    smallFile('onnx/quantize_config.json', '{}'),
    smallFile('tokenizer_config.json', '{"do_lower_case": true}'),
    smallFile('vocab.txt', someBytes(230_000, 1)),
    largeFile('tokenizer.json', someBytes(2_700_000, 2)),
    largeFile('model-00001-of-00003.safetensors', someBytes(22_000_001, 3), { xet: true }),
    largeFile('model-00002-of-00003.safetensors', someBytes(22_000_000, 4), { xet: true }),
    largeFile('model-00003-of-00003.safetensors', someBytes(13_131_071, 5)),
  ],
};
const SIZE = MODEL.files.reduce((sum, { bytes }) => sum + bytes.length, 0);

const root = scratchFolder('hub-download');
const cache = join(root, 'home', 'hub');
const program = join(root, 'download.cjs');
const server = new HubServer();

beforeAll(async () => {
  await server.start();
  await buildProgram(program);
});
afterAll(() => server.stop());

const repository = join(cache, 'models--an-org--a-model');
const snapshot = join(repository, 'snapshots', MODEL.commit);
const hashes = new Map(MODEL.files.map((f) => [f.path, createHash('sha256').update(f.bytes).digest('hex')]));
const named = new Map(MODEL.files.map((f) => [f.sha256 ?? f.gitSha1, f.path]));

/** Hashes of files that have not changed since, by path. */
const known = new Map<string, string>();

/** The files that have a complete file's name and are not it. */
function incorrect(): string[] {
  const complete = [
    ...filesIn(snapshot).map((path) => [join(snapshot, path), path]),
    ...filesIn(join(repository, 'blobs'))
      .filter((name) => !name.endsWith('.incomplete'))
      .map((name) => [join(repository, 'blobs', name), named.get(name) ?? name]),
  ];
  return complete.flatMap(([at, path]) => {
    const { ino, size, mtimeMs } = statSync(at);
    const key = `${at} ${ino} ${size} ${mtimeMs}`;
    if (known.get(key) === undefined)
      known.set(key, createHash('sha256').update(readFileSync(at)).digest('hex'));
    return known.get(key) === hashes.get(path) ? [] : [at];
  });
}

/** Files and links below a folder, but for unfinished ones, whose names begin with a dot and end so. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (name) => !name.endsWith('.aurora-tmp') && !lstatSync(join(folder, name)).isDirectory(),
    );
  } catch {
    return [];
  }
}

/** Everything in a folder that contains a text. */
const containing = (folder: string, text: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const at = join(folder, name);
    return name.includes(text) || (lstatSync(at).isFile() && readFileSync(at).includes(text));
  });

const MOMENTS: Moment[] = [
  { pattern: '/blobs/[0-9a-f]+$', when: 'before' },
  { pattern: '/blobs/[0-9a-f]+$', when: 'after' },
  { pattern: '/snapshots/.*/[^/]+$', when: 'before' },
  { pattern: '/snapshots/.*/[^/]+$', when: 'after' },
];

it(`downloads a model of ${Math.round(SIZE / 1e6)} MB through 200 faults and ${KILLS} kills, and nothing twice but what was interrupted`, async () => {
  const began = performance.now();
  server.repositories.push(MODEL);
  // Several pages.
  server.pageSize = 4;
  const random = dice(SEED);
  const sizes = new Map(MODEL.files.map((f) => [f.path, f.bytes.length]));
  const spoiled = ['config.json', 'vocab.txt', 'model-00003-of-00003.safetensors', 'tokenizer.json'];
  const plan = new FaultPlan(random, sizes, BLOCK, spoiled);
  const accounts = new Accounts();
  let onSent: (bytes: number) => void = () => undefined;
  server.fault = (request) => {
    accounts.asked(request);
    return plan.next(request);
  };
  server.sending = (_, bytes) => onSent(bytes);
  server.served = (answer) => accounts.served(answer);

  const home = join(root, 'home');
  mkdirSync(join(root, 'tmp'), { recursive: true });
  const env = {
    HOME: home,
    HF_HOME: home,
    XDG_CACHE_HOME: join(root, 'cache'),
    TMPDIR: join(root, 'tmp'),
    HF_ENDPOINT: server.endpoint,
    HF_TOKEN: server.token,
  };
  const outputs: string[] = [];
  const ends: Record<string, number> = {};
  let kills = 0;
  let end: End | undefined;
  for (let starts = 1; end?.code !== 0 || plan.left > 0; starts++) {
    expect(starts, JSON.stringify({ kills, left: plan.left, ends, err: end?.err })).toBeLessThan(MOST_STARTS);
    const moment = random.next() < 0.8 ? MOMENTS[random.below(MOMENTS.length)] : undefined;
    // Together less than the model, so that it is not complete before the last kill.
    let rest = kills < KILLS ? random.below((2 * SIZE * 0.8) / KILLS) : Infinity;
    const args = [MODEL.id, String(BLOCK)];
    const { child, ended } = startProgram(program, args, env, kills < KILLS ? moment : undefined);
    let midway = false;
    onSent = (bytes) => {
      rest -= bytes;
      if (rest < 0) midway = child.kill('SIGKILL') || midway;
    };
    end = await ended;
    onSent = () => undefined;
    outputs.push(end.out, end.err);
    if (end.signal === 'SIGKILL') {
      kills++;
      accounts.killed();
    } else accounts.settle();
    const killed = midway ? 'killed midway' : 'killed at a rename';
    const how = end.signal ? killed : end.code === 0 ? 'done' : end.err.split('\n')[0];
    ends[how] = (ends[how] ?? 0) + 1;
    expect(end.code, end.err).not.toBe(OUR_FAULT);
    expect(incorrect()).toEqual([]);
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(
    JSON.stringify({
      seed: SEED,
      kills,
      ends,
      injected: plan.injected,
      sent: accounts.sent,
      size: SIZE,
      seconds,
    }),
  );

  // It came to its end with every fault and kill behind it, correct to the byte.
  expect([plan.total, kills]).toEqual([200, KILLS]);
  for (const file of MODEL.files) {
    const at = join(snapshot, file.path);
    expect(readFileSync(at).equals(file.bytes), file.path).toBe(true);
    const up = '../'.repeat(file.path.split('/').length + 1);
    expect(readlinkSync(at)).toBe(`${up}blobs/${file.sha256 ?? file.gitSha1}`);
  }
  expect(readFileSync(join(repository, 'refs/main'), 'utf8')).toBe(MODEL.commit);
  // Nothing is left of the interruptions.
  expect(readdirSync(join(repository, 'blobs')).sort()).toEqual([...named.keys()].sort());
  expect(
    readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((n) => n.endsWith('.aurora-tmp')),
  ).toEqual([]);

  expect(accounts.violations).toEqual([]);

  // The token went to the endpoint, where it is needed, and nowhere else.
  expect(server.seen.some((r) => r.host === 'hub' && r.headers.includes(server.token))).toBe(true);
  const elsewhere = server.seen.filter((r) => r.host === 'store');
  expect(elsewhere.length).toBeGreaterThan(60);
  expect(
    elsewhere.filter((r) => r.headers.includes(server.token) || r.target.includes(server.token)),
  ).toEqual([]);
  expect(server.seen.filter((r) => r.target.includes(server.token))).toEqual([]);
  expect(outputs.filter((text) => text.includes(server.token))).toEqual([]);
  expect(outputs.filter((text) => text.includes('secret-signature'))).toEqual([]);
  expect(containing(root, server.token)).toEqual([]);
  // Xet was asked for, and refused.
  expect(server.seen.filter((r) => r.route === 'xet-token').length).toBeGreaterThan(0);
});
