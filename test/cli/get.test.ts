import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import { filesBelow } from '../../src/files/tree';
import type { HubData, HubLine, HubModel } from '../../src/protocol/hub';
import { readInputs } from '../../src/runs/inputs';
import { readRun } from '../read-run';
import { commitOf, largeFile, smallFile, type Repository } from '../hub/repository';
import { HubServer } from '../hub/server';
import { pairs, smallBert, smallPipeline } from '../hub/small-repositories';
import { CLI, Lab, type Outcome } from './lab';

const lab = new Lab();
/** From util-linux: runs a command in a new terminal. */
const SCRIPT = '/usr/bin/script';
const server = new HubServer();

/** The program in a cache; the server runs in this process, so that it must not be blocked. */
function aurora(
  cache: string,
  args: readonly string[],
  more: NodeJS.ProcessEnv = {},
  [program, ...before]: readonly string[] = [process.execPath, CLI],
  typed?: string,
): Promise<Outcome> {
  const env = {
    ...process.env,
    HF_ENDPOINT: server.endpoint,
    HF_HUB_CACHE: lab.path(cache),
    HF_TOKEN_PATH: lab.path('no-token'),
    ...more,
  };
  const child = spawn(program, [...before, ...args], { env, stdio: 'pipe' });
  child.stdin.end(typed);
  const read = { out: '', err: '' };
  child.stdout.on('data', (part) => (read.out += String(part)));
  child.stderr.on('data', (part) => (read.err += String(part)));
  return new Promise((done) => child.on('close', (code) => done({ code, ...read })));
}
const lines = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as HubLine);
const line = <K extends HubLine['kind']>(out: string, kind: K) =>
  lines(out).find((l): l is Extract<HubLine, { kind: K }> => l.kind === kind)!;

const small = smallBert();
const bert: Repository = {
  ...small,
  files: [
    ...small.files,
    largeFile('onnx/model.onnx', readFileSync(resolve('test/fixtures/reference/bert.onnx'))),
  ],
};
const pickled: Repository = {
  ...bert,
  id: 'an-org/pickled',
  commit: commitOf('pickled'),
  files: bert.files.filter(({ path }) => !/safetensors|onnx/.test(path)),
};
const gated: Repository = { ...bert, id: 'an-org/gated', commit: commitOf('gated'), gated: 'manual' };
const pipeline = smallPipeline();
const glue: Repository = {
  kind: 'dataset',
  id: 'nyu-mll/glue',
  commit: commitOf('glue'),
  refs: ['refs/convert/parquet'],
  files: [],
};
/** Its tokenizer has no tokenizer.json. */
const older: Repository = {
  ...bert,
  id: 'an-org/older',
  commit: commitOf('older'),
  files: [
    ...bert.files.filter(({ path }) => path !== 'tokenizer.json'),
    smallFile('vocab.txt', '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n'),
    smallFile('special_tokens_map.json', '{"cls_token": "[CLS]"}'),
  ],
};
const plain: Repository = {
  kind: 'dataset',
  id: 'an-org/tables',
  commit: commitOf('tables'),
  refs: ['main'],
  files: [smallFile('data/a-1.csv', 'text,label\na,x\n'), smallFile('data/a-2.csv', 'text,label\nb,y\n')],
};

/** Rows as nyu-mll/glue has RTE. */
const parquet = (rows: number, salt: number, hidden = false): Promise<Buffer> =>
  pairs(lab.path(`rows-${salt}.parquet`), rows, salt, hidden);

beforeAll(async () => {
  glue.files = [
    largeFile('rte/train/0000.parquet', await parquet(40, 0)),
    largeFile('rte/train/0001.parquet', await parquet(24, 1)),
    largeFile('rte/validation/0000.parquet', await parquet(16, 2)),
    largeFile('rte/test/0000.parquet', await parquet(8, 3, true)),
    largeFile('mrpc/train/0000.parquet', await parquet(8, 4)),
  ];
  server.repositories.push(bert, older, pickled, gated, pipeline, glue, plain);
  await server.start();
});
beforeEach(() => void server.seen.splice(0));
afterAll(() => {
  server.stop();
  lab.remove();
});
const cached = (cache: string) => (existsSync(lab.path(cache)) ? filesBelow(lab.path(cache)) : []);
const MODEL = `hf://an-org/bert@${bert.commit}`;
const RTE = `hf://datasets/nyu-mll/glue@${glue.commit}/rte`;

describe('aurora get model', () => {
  it('shows card, files, sizes and a verdict from a few kilobytes, and downloads nothing without being told', async () => {
    const shown = await aurora('shown', ['get', 'model', 'an-org/bert', '--show', '--json']);
    expect(shown).toMatchObject({ code: EXIT.ok });
    const model = line(shown.out, 'model');
    expect(model).toMatchObject({
      id: 'an-org/bert',
      commit: bert.commit,
      task: 'fill-mask',
      licence: 'apache-2.0',
      cached: 0,
      verdict: { usable: true, family: 'bert', step: { memory: {} } },
    });
    expect(model.card).toContain('A small one, for tests.');
    expect(model.files.map(({ path }) => path).sort()).toEqual(
      ['README.md', 'config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'].sort(),
    );
    expect(server.seen.filter(({ route }) => route === 'store').map(({ range }) => range)).toEqual([
      expect.stringMatching(/^bytes=0-\d{1,5}$/),
    ]);

    const refused = await aurora('shown', ['get', 'model', 'an-org/bert']);
    expect(refused).toMatchObject({ code: EXIT.usage, err: expect.stringContaining('--yes') as string });
    expect(refused.err).toContain('from 127.0.0.1');
    expect(cached('shown').filter((path) => /blobs|snapshots/.test(path))).toEqual([]);
  });

  it('prints the reference, and the verdict after the download is the one before it', async () => {
    const got = await aurora('model', ['get', 'model', 'an-org/bert', '--yes', '--json']);
    expect(got).toMatchObject({ code: EXIT.ok });
    const { reference, path } = line(got.out, 'got').got[0];
    expect(reference).toBe(MODEL);
    expect(path).toBe(lab.path(`model/models--an-org--bert/snapshots/${bert.commit}`));
    for (const { path: name, bytes } of bert.files.filter((f) => !/bin|onnx/.test(f.path)))
      expect(readFileSync(join(path, name))).toEqual(bytes);
    expect(readdirSync(path)).not.toContain('pytorch_model.bin');

    server.seen.splice(0);
    const again = await aurora('model', ['get', 'model', 'an-org/bert', '--revision', bert.commit, '--json']);
    expect(again).toMatchObject({ code: EXIT.ok });
    expect(server.seen).toEqual([]);
    expect(line(again.out, 'got').got[0].reference).toBe(MODEL);
    const verdicts = [got, again].map(({ out }) => (line(out, 'model') as HubModel).verdict);
    for (const verdict of verdicts) if (verdict.usable === true) delete verdict.step.memory?.available;
    expect(verdicts[1]).toEqual(verdicts[0]);

    const offline = await aurora('model', ['get', 'model', 'an-org/bert'], { HF_HUB_OFFLINE: '1' });
    expect(offline).toMatchObject({ code: EXIT.ok, out: `${MODEL}\n` });
    expect(server.seen).toEqual([]);
  });

  it('gets the older files of a tokenizer where there is no tokenizer.json, with one verdict before and after', async () => {
    const shown = await aurora('older', ['get', 'model', older.id, '--show', '--json']);
    const got = await aurora('older', ['get', 'model', older.id, '--yes', '--json']);
    expect(got).toMatchObject({ code: EXIT.ok });
    const folder = line(got.out, 'got').got[0].path;
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['special_tokens_map.json', 'vocab.txt']));

    server.seen.splice(0);
    const again = await aurora('older', ['get', 'model', older.id, '--revision', older.commit, '--json']);
    // It counts as whole.
    expect(server.seen).toEqual([]);
    const verdicts = [shown, got, again].map(({ out }) => (line(out, 'model') as HubModel).verdict);
    for (const verdict of verdicts) if (verdict.usable === true) delete verdict.step.memory?.available;
    expect(verdicts.slice(1)).toEqual([verdicts[0], verdicts[0]]);
    expect(verdicts[0]).toMatchObject({ usable: true });
  });

  it('gets the commit that was shown, and keeps which branch that was, for programs without a network', async () => {
    const shown = ['--commit', bert.commit, '--yes', '--json'];
    expect((await aurora('branch', ['get', 'model', 'an-org/bert', ...shown])).code).toBe(EXIT.ok);
    const ref = lab.path('branch/models--an-org--bert/refs/main');
    expect(readFileSync(ref, 'utf8')).toBe(bert.commit);
    server.seen.splice(0);
    const offline = await aurora('branch', ['get', 'model', 'an-org/bert', '--json'], {
      HF_HUB_OFFLINE: '1',
    });
    expect(line(offline.out, 'got').got[0].reference).toBe(MODEL);
    expect(server.seen).toEqual([]);
    const wrong = await aurora('branch', ['get', 'model', 'an-org/bert', '--commit', 'main', '--yes']);
    expect([wrong.code, wrong.err]).toEqual([EXIT.usage, expect.stringContaining('not "main"')]);
  });

  it('gets a pipeline, component by component, judged before from a few kilobytes', async () => {
    const shown = await aurora('pipeline', ['get', 'model', 'an-org/pipeline', '--show', '--json']);
    const model = line(shown.out, 'model');
    const { verdict } = model;
    expect(verdict).toMatchObject({ usable: true, family: 'UNet2DConditionModel', blocked: 0 });
    const fixture = resolve('test/fixtures/diffusers/sdxl');
    expect(model.files.map(({ path }) => path).sort()).toEqual(['README.md', ...filesBelow(fixture)].sort());

    const got = await aurora('pipeline', ['get', 'model', 'an-org/pipeline', '--yes', '--json']);
    expect(got.code).toBe(EXIT.ok);
    const { reference, path } = line(got.out, 'got').got[0];
    expect(reference).toBe(`hf://an-org/pipeline@${pipeline.commit}`);
    for (const file of filesBelow(fixture))
      expect([file, readFileSync(join(path, file)).equals(readFileSync(join(fixture, file)))]).toEqual([
        file,
        true,
      ]);

    server.seen.splice(0);
    const again = await aurora('pipeline', ['get', 'model', 'an-org/pipeline', '--json'], {
      HF_HUB_OFFLINE: '1',
    });
    expect(again.code).toBe(EXIT.ok);
    expect(server.seen).toEqual([]);
    const after = line(again.out, 'model').verdict;
    for (const each of [verdict, after]) if (each.usable === true) delete each.step.memory?.available;
    expect(after).toEqual(verdict);

    // Another program may have got the first text encoder alone.
    rmSync(join(path, 'text_encoder_2'), { recursive: true });
    const part = await aurora('pipeline', ['get', 'model', 'an-org/pipeline', '--json'], {
      HF_HUB_OFFLINE: '1',
    });
    expect(part.out + part.err).toContain('is not complete in');
  });

  it('gets an ONNX file by name, with the tokenizer above it', async () => {
    const { code, out } = await aurora('onnx', [
      ...['get', 'model', 'an-org/bert', '--file', 'onnx/model.onnx', '--yes', '--json'],
    ]);
    expect(code).toBe(EXIT.ok);
    expect(line(out, 'got').got.map(({ reference }) => reference)).toEqual([
      `${MODEL}/onnx/model.onnx`,
      `${MODEL}/tokenizer.json`,
    ]);
  });

  it.each([
    [['model', 'an-org/pickled', '--yes'], EXIT.model, 'only in pytorch_model.bin'],
    [['model', 'an-org/gated', '--yes'], EXIT.gated, 'an-org/gated'],
    [['model', 'an-org/none', '--yes'], undefined, 'an-org/none'],
    [['model'], EXIT.usage, 'needs a name'],
    [['--search', 'bert'], EXIT.usage, '--search needs model or data'],
  ])('ends with an error that says what is wrong: %o', async (args, code, words) => {
    const { code: ended, err } = await aurora('refused', ['get', ...args]);
    if (code === undefined) expect(ended).not.toBe(EXIT.ok);
    else expect([ended, err]).toEqual([code, expect.anything()]);
    expect(err).toContain(words);
  });

  it('searches', async () => {
    const { out } = await aurora('none', ['get', 'model', '--search', 'BERT', '--json']);
    expect(line(out, 'found').repos).toMatchObject([
      { id: 'an-org/bert', task: 'fill-mask', licence: 'apache-2.0', downloads: 1234 },
    ]);
    const table = await aurora('none', ['get', 'data', '--search', 'glue']);
    expect(table.out).toContain('nyu-mll/glue');
  });

  it('sends a token to the hub alone, and prints it nowhere', async () => {
    const token = server.token;
    const { code, out, err } = await aurora('token', ['get', 'model', 'an-org/gated', '--yes', '--json'], {
      HF_TOKEN: token,
    });
    expect(code).toBe(EXIT.ok);
    expect(out + err).not.toContain(token);
    for (const { host, headers } of server.seen) expect(headers.includes(token)).toBe(host === 'hub');
    for (const path of cached('token'))
      expect(readFileSync(lab.path(`token/${path}`)).includes(token)).toBe(false);
  });
});

describe('aurora get data', () => {
  it('knows the paper’s data sets, and prints each split with its labels', async () => {
    const { code, out } = await aurora('data', ['get', 'data', 'glue/rte', '--yes', '--json']);
    expect(code).toBe(EXIT.ok);
    const data = line(out, 'data') as HubData;
    expect(data).toMatchObject({ id: 'nyu-mll/glue', config: 'rte', configs: ['mrpc', 'rte'] });
    expect(line(out, 'got').got.map(({ split, reference }) => [split, reference])).toEqual([
      ['train', `${RTE}/train/*.parquet`],
      ['validation', `${RTE}/validation/0000.parquet`],
      ['test', `${RTE}/test/0000.parquet`],
    ]);
    expect(line(out, 'got').got[0].columns).toContainEqual({
      name: 'label',
      labels: ['entailment', 'not_entailment'],
    });
    expect(cached('data').some((path) => path.includes('mrpc'))).toBe(false);
  });

  it('gets the configuration and the splits that are named, and says which there are', async () => {
    const { code, out } = await aurora('splits', [
      ...['get', 'data', 'nyu-mll/glue', '--config', 'rte', '--split', 'validation', '--yes'],
    ]);
    expect([code, out.split('\n')[0]]).toEqual([EXIT.ok, `validation: ${RTE}/validation/0000.parquet`]);
    const open = await aurora('splits', ['get', 'data', 'nyu-mll/glue', '--yes']);
    expect(open).toMatchObject({
      code: EXIT.usage,
      err: expect.stringContaining('--config: mrpc, rte') as string,
    });
    const wrong = await aurora('splits', ['get', 'data', 'glue/rte', '--split', 'dev', '--yes']);
    expect(wrong.err).toContain('no split "dev"');
  });

  it.runIf(existsSync(SCRIPT))(
    'asks in a terminal for the configuration, the splits, and before it downloads',
    async () => {
      const typed = (answers: string, cache: string) => {
        const command = [process.execPath, CLI, 'get', 'data', 'nyu-mll/glue'].join(' ');
        return aurora(cache, [], {}, [SCRIPT, '-qec', command, '/dev/null'], answers);
      };
      const no = await typed('rte\n\nn\n', 'asked');
      expect([no.code, no.out]).toEqual([
        EXIT.ok,
        expect.stringContaining('Splits [train, validation, test]'),
      ]);
      expect(no.out).toContain('Download?');
      expect(cached('asked').some((path) => path.includes('snapshots'))).toBe(false);
      const yes = await typed('rte\nvalidation, test\ny\n', 'asked');
      expect([yes.code, yes.out]).toEqual([
        EXIT.ok,
        expect.stringContaining(`test: ${RTE}/test/0000.parquet`),
      ]);
      expect(cached('asked').filter((path) => path.includes('/snapshots/'))).toHaveLength(2);
    },
  );

  it('gets files of a repository that the hub has not converted, by a pattern', async () => {
    const refused = await aurora('files', ['get', 'data', 'an-org/tables', '--yes']);
    expect(refused).toMatchObject({ code: EXIT.data, err: expect.stringContaining('--file') as string });
    const { out } = await aurora('files', [
      'get',
      'data',
      'an-org/tables',
      '--file',
      'data/a-*.csv',
      '--yes',
    ]);
    expect(out).toBe(`data/a-*.csv: hf://datasets/an-org/tables@${plain.commit}/data/a-*.csv\n`);
    expect(cached('files').filter((path) => path.endsWith('.csv'))).toHaveLength(2);
  });
});

describe('aurora start', () => {
  const START = ['start', 'an-org/bert', 'glue/rte', '--size', 'base', '--defaults', '--yes'];
  const SHORT = ['--set', 'model.maxLength=16'];

  it('writes an experiment that trains, and that another machine can fetch to the byte', async () => {
    const file = lab.path('rte.aurora.json');
    rmSync(file, { force: true });
    const settings = [
      'model.maxLength=16',
      'training.maxSteps=4',
      'training.batchSize=4',
      'training.evaluateEvery=4',
    ];
    const set = settings.flatMap((text) => ['--set', text]);
    const started = await aurora('start', [...START, ...SHORT, '--out', file, ...set]);
    expect([started.code, started.err]).toEqual([EXIT.ok, expect.anything()]);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain(`"path": "${MODEL}"`);
    expect(text).toContain(`"train": "${RTE}/train/*.parquet"`);
    expect(text).toContain(`"validation": "${RTE}/validation/0000.parquet"`);
    expect(text).toContain('in bert, trained on glue/rte/train.');

    server.seen.splice(0);
    const out = lab.fresh('runs');
    const trained = await aurora('start', ['train', file, '--out', out, '--device', 'cpu']);
    expect([trained.code, trained.err]).toEqual([EXIT.ok, expect.anything()]);
    expect(server.seen).toEqual([]);
    const [run] = lab.runs(out);
    expect(readRun(run).status?.state).toBe('finished');
    const inputs = readInputs(run)!.files;
    const references = inputs.flatMap(({ hub }) => hub ?? []);
    expect(references).toContain(`${RTE}/train/0001.parquet`);
    expect(references).toContain(`${MODEL}/config.json`);

    // Another machine has the file alone, and a third one the run.
    const missing = await aurora('other', ['preflight', file]);
    expect(missing.code).toBe(EXIT.experiment);
    expect(missing.err).toContain(`run \`aurora get ${file}\``);
    for (const [cache, what] of [
      ['other', file],
      ['third', run],
    ]) {
      expect(await aurora(cache, ['get', what, '--yes'])).toMatchObject({ code: EXIT.ok });
      const snapshots = (of: string) =>
        cached(of).filter((path) => /^(models|datasets)--.*\/snapshots\//.test(path));
      const expected = snapshots('start');
      // Test sets are not read.
      expect(expected.some((path) => path.includes('rte/test'))).toBe(false);
      expect(snapshots(cache)).toEqual(expected);
      for (const path of expected)
        expect(readFileSync(lab.path(`${cache}/${path}`))).toEqual(readFileSync(lab.path(`start/${path}`)));
    }
    expect((await aurora('other', ['preflight', file, '--steps', '1', '--device', 'cpu'])).code).toBe(
      EXIT.ok,
    );

    server.seen.splice(0);
    const offline = await aurora('other', ['get', file], { HF_HUB_OFFLINE: '1' });
    expect([offline.code, offline.err, server.seen]).toEqual([
      EXIT.ok,
      expect.stringContaining('in the cache'),
      [],
    ]);
  });

  it('takes a folder with the data instead of the hub’s', async () => {
    const folder = lab.path('own');
    for (const { path, bytes } of glue.files) lab.write(`own/${path}`, bytes);
    const file = lab.path('own.aurora.json');
    rmSync(file, { force: true });
    const started = await aurora('own-cache', [
      ...START,
      ...SHORT,
      '--data',
      folder,
      '--out',
      file,
      '--json',
    ]);
    expect([started.code, started.err]).toEqual([EXIT.ok, expect.anything()]);
    expect(readFileSync(file, 'utf8')).toContain('"train": "own/rte/train/*.parquet"');
    expect(cached('own-cache').some((path) => path.startsWith('datasets--'))).toBe(false);
    expect(statSync(file).size).toBeGreaterThan(500);
  });

  it('explains which data sets have a recipe', async () => {
    const { code, err } = await aurora('none', ['start', 'an-org/bert', 'boolq', '--yes']);
    expect([code, err]).toEqual([EXIT.usage, expect.stringContaining('trains on commonsense170k')]);
    expect((await aurora('none', ['start', 'an-org/bert', 'glue/rtee', '--yes'])).err).toContain(
      'Did you mean "glue/rte"',
    );
    expect(server.seen).toEqual([]);
  });
});
