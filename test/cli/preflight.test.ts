import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { deviceFacts } from '../../src/engine/devices';
import { readRun } from '../read-run';
import type { PreflightLine } from '../../src/protocol/preflight';
import { quoted, writeParquet } from '../unit/data/table/duckdb';
import { CLI, Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());
const lines = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((l) => JSON.parse(l) as PreflightLine);
const of = <K extends PreflightLine['kind']>(all: PreflightLine[], kind: K) =>
  all.filter((l): l is PreflightLine & { kind: K } => l.kind === kind);

/** Runs a preflight with JSON output and a known folder for temporary files. */
function check(...args: string[]) {
  const r = lab.run('preflight', lab.experiment, '--json', ...args);
  return { ...r, lines: lines(r.out) };
}
const everything = () =>
  (readdirSync(lab.folder, { recursive: true }) as string[]).sort().map((name) => {
    const s = statSync(lab.path(name));
    return [name, s.size, s.isFile() ? s.mtimeMs : 0];
  });

describe('aurora preflight', () => {
  it('reports modules, data, real steps and an estimate, in this order, and changes no file', () => {
    const before = everything();
    const r = check();
    expect([r.code, r.err]).toEqual([0, '']);
    expect(r.lines.map((l) => l.kind).filter((k) => k !== 'problem')).toEqual([
      'modules',
      'data',
      'device',
      ...['step', 'step', 'step', 'step'],
      'estimate',
    ]);
    const [modules] = of(r.lines, 'modules');
    expect(modules).toMatchObject({ method: 'aurora', unmatched: [], adapterParameters: 592 });
    expect(modules.modules).toHaveLength(4);
    expect(modules.modules[0]).toEqual({
      path: 'layer.0.query',
      inFeatures: 32,
      outFeatures: 32,
      rank: 2,
      parameters: 148,
    });
    const [data] = of(r.lines, 'data');
    expect(data).toMatchObject({
      labels: ['other', 'pets'],
      train: { path: lab.path('train.jsonl'), examples: 96, labels: { other: 48, pets: 48 } },
      validation: { path: lab.path('validation.jsonl'), examples: 24 },
    });
    const [estimate] = of(r.lines, 'estimate');
    expect(estimate).toMatchObject({ steps: 48, evaluations: 5, trainable: 592 + 66 });
    const seconds = of(r.lines, 'step').slice(1).map((s) => s.seconds); // prettier-ignore
    expect(estimate.secondsPerStep).toBe(seconds.toSorted((a, b) => a - b)[1]);
    expect(estimate.memoryBytes).toBeGreaterThan(50e6);
    expect(everything()).toEqual(before);
  });

  it('has the same counts as the trainer', () => {
    const r = check('--steps', '1');
    const out = lab.path('runs');
    expect(lab.run('train', lab.experiment, '--out', out).code).toBe(0);
    const started = readRun(lab.runs(out)[0]).events.find((e) => e.kind === 'started')!;
    const [modules] = of(r.lines, 'modules');
    const [estimate] = of(r.lines, 'estimate');
    expect(modules.modules.map((m) => m.path)).toEqual(started.modules);
    expect(modules.adapterParameters).toBe(started.trainable);
    expect(estimate.trainable).toBe(started.trainable + started.trainableHead);
    expect(estimate.steps).toBe(started.steps);
    const [data] = of(r.lines, 'data');
    expect([data.train.examples, data.validation.examples]).toEqual([
      started.trainExamples,
      started.validationExamples,
    ]);
    expect(data.labels).toEqual(started.labels);
  });

  it('reports problems in targets and data, each with its setting, and continues', () => {
    const row = (text: string, label: string) => JSON.stringify({ text, label });
    const train = readFileSync(lab.path('train.jsonl'), 'utf8').split('\n');
    lab.write('odd.jsonl', [row('the cats !', 'pets'), row('the  cats !', 'other'), ...train].join('\n'));
    lab.write(
      'oddval.jsonl',
      [row('the cats !', 'pets'), row('', 'pets'), row('played', 'rocks')].join('\n'),
    );
    const r = check(
      ...['data.train=odd.jsonl', 'data.validation=oddval.jsonl', 'model.maxLength=6'].flatMap((s) => [
        '--set',
        s,
      ]),
      ...['--set', 'adapter.targetModules=["query","values"]', '--steps', '1'],
    );
    expect(r.code).toBe(12);
    const problems = of(r.lines, 'problem');
    const told = problems.map((p) => `${p.severity} ${p.key}: ${p.message}`);
    expect(told).toEqual([
      'warning adapter.targetModules: The target "values" matched no module.',
      `error data.validation: ${lab.path('oddval.jsonl')}:2: "text" is empty.`,
      `error data.validation: ${lab.path('oddval.jsonl')}:3: a row has a label that no training row has: "rocks".`,
      expect.stringMatching(/^note model\.maxLength: \d+% of the training texts are longer than 6 tokens/),
      'warning data.validation: No validation row has the label "other".',
      'warning data.validation: 1 of 1 validation examples are also trained on (training and validation lines 1 and 1), so the metrics will be too optimistic.',
      'warning data.train: One training example has more than one label: lines 1 and 2 ("pets", "other").',
    ]);
    expect(problems.map(({ places }) => places?.map((p) => `${basename(p.file)}:${p.row}`))).toEqual([
      undefined,
      ['oddval.jsonl:2'],
      ['oddval.jsonl:3'],
      undefined,
      undefined,
      ['odd.jsonl:1', 'oddval.jsonl:1'],
      ['odd.jsonl:1', 'odd.jsonl:2'],
    ]);
    const skipping = [{ key: 'data.onBadRow', value: 'skip' }];
    expect(problems.map((p) => p.fixes)).toEqual([
      undefined,
      skipping,
      skipping,
      ...[undefined, undefined, undefined, undefined],
    ]);
    expect(problems.every((p) => p.hint)).toBe(true);
    expect(problems[0].hint).toContain('layer.0.value');
    expect(of(r.lines, 'estimate')).toHaveLength(1);
    const skip = check(
      ...['data.validation=oddval.jsonl', 'data.onBadRow=skip'].flatMap((s) => ['--set', s]),
      ...['--steps', '1'],
    );
    expect(skip.code).toBe(0);
    expect(of(skip.lines, 'problem').some((p) => p.severity === 'error')).toBe(false);
  });

  it.each([
    ['model.path=none.onnx', 4, 'model.path'],
    ['adapter.targetModules=["nowhere"]', 10, 'adapter.targetModules'],
    ['adapter.rank=64', 11, 'adapter.rank'],
    ['data.labelColumn=lable', 13, 'data.labelColumn'],
    ['adapter.rang=2', 3, undefined],
  ])('reports %s as an error and exits with its code', (set, code, key) => {
    const r = check('--set', set, '--set', 'model.tokenizer=tokenizer.json');
    expect(r.code).toBe(code);
    const [problem] = of(r.lines, 'problem');
    expect(problem).toMatchObject({ severity: 'error', hint: expect.any(String) as unknown });
    expect(problem.key).toBe(key);
    expect(r.err).toContain(problem.message.split('\n')[0]);
  });

  it.each([
    ['training.precision', 'mixed', 'TensorFlow.js computes in float32 only.'],
    [
      'training.gradientCheckpointing',
      'true',
      'The TensorFlow.js engine does not support gradient checkpointing.',
    ],
  ])('reports at %s that TensorFlow.js does not support %s', (key, value, message) => {
    for (const device of ['wasm', 'auto']) {
      const r = check('--engine', 'tfjs', '--device', device, '--set', `${key}=${value}`);
      expect(r.code).toBe(3);
      const hint = expect.stringMatching(/^Set training\..* or use the ONNX Runtime engine\.$/);
      expect(of(r.lines, 'problem')).toContainEqual(
        expect.objectContaining({ severity: 'error', key, message, hint }),
      );
    }
  });

  it.skipIf(deviceFacts().cudaProvider)('names no setting if the machine lacks something', () => {
    const r = check('--device', 'cuda');
    expect(r.code).toBe(19);
    const problem = of(r.lines, 'problem').at(-1)!;
    expect([problem.severity, problem.key]).toEqual(['error', undefined]);
  });

  it('measures the head alone as training does, on cached features', () => {
    const r = check('--set', 'adapter={"method":"none"}');
    expect([r.code, r.err]).toEqual([0, '']);
    expect(of(r.lines, 'estimate')[0]).toMatchObject({ steps: 48, trainable: 66 });
    expect(of(r.lines, 'modules')[0]).toMatchObject({ method: 'none', modules: [] });
  });

  it('prints readable text in a terminal', () => {
    const r = lab.run('preflight', lab.experiment);
    expect(r.code).toBe(0);
    expect(r.err).toMatch(
      /^4 modules get an adapter; reading the data…\n96 examples read; opening the model…\n/,
    );
    expect(r.err).toMatch(/\nMeasuring 3 steps…\n(Step [123] of 3: .*\n){3}$/);
    expect(r.out).toMatch(
      /^\nModules\n {2}4 of 12 linear layers get an adapter \(AuroRA\): 592 trainable parameters/,
    );
    expect(r.out).toMatch(/^ {2}layer\.0\.query +32 × 32 +2 +148$/m);
    expect(r.out).toMatch(/^ {2}pets +48 \(50\.0%\) +12 \(50\.0%\)$/m);
    expect(r.out).toMatch(
      /\n\n[\d.]+ m?s\/step on \w+ · .+ · \d+ MB\nThe whole run has 48 steps and 5 evaluations;/,
    );
    expect(r.out).not.toMatch(/undefined|NaN/);
  });

  it('states how the quotes of TSV files are read', () => {
    lab.write('glue.tsv', 'q\ttext\tlabel\n1\t"the cats\tpets\n2\tthe cats played"\tpets\n3\tcafe\tother\n');
    lab.write('csv.tsv', 'text\tlabel\n"the ""cats"" !"\tpets\n"cafe"\tother\n');
    const files = ['--set', 'data.train=glue.tsv', '--set', 'data.validation=csv.tsv', '--steps', '1'];
    const [data] = of(check(...files).lines, 'data');
    expect([data.train.examples, data.train.quotes, data.validation.quotes]).toEqual([3, 'text', 'csv']);
    const r = lab.run('preflight', lab.experiment, ...files);
    expect(r.out).toMatch(/^ {2}quotes +as text \(the file is not quoted\) +as in CSV$/m);
    const bare = ['header=false', 'textColumn="2"', 'labelColumn="3"', 'quoting=none'];
    lab.write('bare.tsv', '1\t"the cats\tpets\n3\tcafe\tother\n');
    const set = [...bare, 'train=bare.tsv', 'validation=bare.tsv'].flatMap((s) => ['--set', `data.${s}`]);
    const without = check(...set, '--steps', '1');
    expect(without.code).toBe(0);
    expect(of(without.lines, 'data')[0].train).toMatchObject({ examples: 2 });
    expect(of(without.lines, 'data')[0].train.quotes).toBeUndefined();
  });

  it('reads Parquet files of the hub, with the names of their labels', async () => {
    const names = { label: { names: ['pets', 'other'], _type: 'ClassLabel' } };
    const metadata = `kv_metadata {huggingface: ${quoted(JSON.stringify({ info: { features: names } }))}}`;
    const rows = `select unnest(['the cats', 'cafe', 'the cats', 'cafe']) as text, unnest([0, 1, 1, -1]) as label`;
    await writeParquet(lab.path('hub.parquet'), rows, metadata);
    const r = check('--set', 'data.train=hub.parquet', '--set', 'data.onBadRow=skip', '--steps', '1');
    expect(r.code).toBe(0);
    const [data] = of(r.lines, 'data');
    expect(data).toMatchObject({ labels: ['pets', 'other'], train: { examples: 3, badRows: { count: 1 } } });
    expect(of(r.lines, 'problem').map((p) => p.message)).toEqual(
      expect.arrayContaining([
        `${lab.path('hub.parquet')}, row 4: "label" is -1: the label is not published.`,
        expect.stringContaining('rows 1 and 3 ("pets", "other")'),
      ]),
    );
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves no temporary file after %s', async (signal) => {
    const tmp = lab.fresh(`tmp-${signal}`);
    mkdirSync(tmp);
    const child = spawn(
      process.execPath,
      [CLI, 'preflight', lab.experiment, '--steps', '9999', '--set', 'training.batchSize=1'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, TMPDIR: tmp, TEMP: tmp },
      },
    );
    let out = '';
    child.stderr.on('data', (d: Buffer) => (out += d.toString()));
    const exit = new Promise((done) => child.once('exit', done));
    while (!out.includes('Measuring') && child.exitCode === null) await wait(5);
    expect(out).toMatch(/Measuring \d+ steps/);
    const own = () => readdirSync(tmp).filter((name) => name.startsWith('.aurora-preflight.'));
    const [work] = own();
    expect(existsSync(join(tmp, work, 'graph'))).toBe(true);
    child.kill(signal);
    expect(await exit).toBe(130);
    // Nor any of the runtime's, which are for its telemetry.
    expect(readdirSync(tmp)).toEqual([]);
  });
});
