import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { toHalf } from '../../src/graph/number-formats';
import { encodeSafetensors, readSafetensors, type FloatTensor } from '../../src/graph/file/safetensors';
import { readRun } from '../read-run';
import type { AuroraSpec, LoraSpec } from '../../src/experiment/methods';
import { Lab } from './lab';

const lab = new Lab({ training: { epochs: 2, learningRate: 0.03, evaluateEvery: 'epoch' } });
afterAll(() => lab.remove());
const PREFIX = 'base_model.model.';

function train(out: string, ...settings: string[]): string {
  const set = settings.flatMap((s) => ['--set', s]);
  const r = lab.run('train', lab.experiment, '--out', lab.path(out), '--device', 'cpu', ...set);
  expect([r.code, r.err]).toEqual([0, expect.not.stringContaining('error')]);
  return lab.runs(lab.path(out))[0];
}
function exported(run: string, form: string, out: string): string {
  const r = lab.run('export', run, '--as', form, '--at', 'last', '--out', lab.path(out));
  expect([r.code, r.err]).toEqual([0, expect.not.stringContaining('error')]);
  return lab.path(out);
}
let made = 0;
function imported(adapter: string, ...more: string[]): { run: string; out: string; warned: string } {
  const out = lab.path(`imported-${made++}`);
  const r = lab.run('import', adapter, '--experiment', lab.experiment, '--out', out, ...more);
  expect(r.code).toBe(0);
  for (const line of r.err.split('\n')) expect(line).toMatch(/^(warning: |$)/);
  return { run: lab.runs(out)[0], out: r.out, warned: r.err };
}
const adapterBytes = (run: string, step: number) =>
  readFileSync(join(run, `checkpoints/step-${String(step).padStart(6, '0')}/adapter.safetensors`));
const lastMetrics = (run: string) => {
  const e = readRun(run).events.findLast((e) => e.kind === 'evaluation');
  return e?.kind === 'evaluation' ? e.metrics : undefined;
};

describe('from run to file to run', () => {
  it.each<[string, string, string[]]>([
    ['AuroRA', 'adapter', ['adapter.targetModules=["query","value"]']],
    ['AuroRA of order 2 with sigmoid', 'adapter', ['adapter.splineOrder=2', 'adapter.activation=sigmoid']],
    ['AuroRA with a spline per pair', 'adapter', ['adapter.spline=per-pair', 'adapter.rank=3']],
    [
      'AuroRA with a spline per dimension and the static form trained last',
      'adapter',
      ['adapter.spline=per-dimension', 'training.staticEpochs=1'],
    ],
    ['AuroRA with the static form trained last', 'adapter', ['training.staticEpochs=1']],
    [
      'rsLoRA with several ranks',
      'peft-lora',
      [
        'adapter={"method":"lora","rank":3,"alpha":5,"useRslora":true,"targetModules":["query","value"],"rankPattern":{"layer.1.query":2},"alphaPattern":{"layer.0.value":7}}',
      ],
    ],
    [
      'LoRA with a bias',
      'peft-lora',
      ['adapter={"method":"lora","rank":2,"loraBias":true,"targetModules":["query","value"]}'],
    ],
    [
      'LoRA',
      'adapter',
      ['adapter={"method":"lora","rank":2,"targetModules":"all-linear"}', 'task.pooling=first-token'],
    ],
  ])('preserves every bit of %s', (name, form, settings) => {
    const run = train(`run-${name}`, ...settings);
    const folder = exported(run, form, `file-${name}`);
    const card = readFileSync(join(folder, 'README.md'), 'utf8');
    expect(card.includes('biases (`lora_bias`) need PEFT 0.14')).toBe(name === 'LoRA with a bias');
    const { run: again, out } = imported(folder);
    expect(adapterBytes(again, 0).equals(adapterBytes(run, 24))).toBe(true);
    expect(lastMetrics(again)).toEqual(lastMetrics(run));
    expect(out).toContain(`Run folder  ${again}`);
    // And once more to a file.
    const twice = exported(again, form, `twice-${name}`);
    const weights = (f: string) => readFileSync(join(f, 'adapter_model.safetensors'));
    expect(weights(twice).equals(weights(folder))).toBe(true);
    const { events, status, spec } = readRun(again);
    expect(events[0]).toMatchObject({ kind: 'imported', adapter: `file-${name}` });
    expect(status).toMatchObject({ state: 'stopped', step: 0, steps: 24 });
    expect(spec.task).toEqual(readRun(run).spec.task);
    expect(JSON.parse(readFileSync(join(again, 'user.json'), 'utf8'))).toEqual({ name: `file-${name}` });
  });

  it('can be trained further with resume and fork', () => {
    const { run } = imported(lab.path('file-AuroRA'), '--name', 'taken over');
    const before = lastMetrics(run)!;
    const fork = lab.run(
      'train',
      '--fork',
      run,
      '--at',
      '0',
      '--set',
      'training.learningRate=0.01',
      '--device',
      'cpu',
    );
    expect([fork.code, fork.err]).toEqual([0, expect.stringContaining('24 steps')]);
    const resumed = lab.run('train', '--resume', run, '--device', 'cpu');
    expect([resumed.code, resumed.err]).toEqual([0, expect.not.stringContaining('error')]);
    const { events, result, scalars } = readRun(run);
    expect(events.map((e) => e.kind)).toEqual(expect.arrayContaining(['imported', 'resumed', 'finished']));
    expect(scalars.records).toBe(24);
    expect(result!.steps).toBe(24);
    // It continues from its state and does not start over.
    expect(scalars.column('loss')![0]).toBeLessThan(1.5 * before.loss + 0.05);
    expect(adapterBytes(run, 24).equals(adapterBytes(run, 0))).toBe(false);
  });
});

const values = (n: number, by: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * by) / 4);

/** A LoRA as another program could have written it. */
function foreign(
  name: string,
  change: {
    config?: Record<string, unknown>;
    tensors?: (t: Map<string, FloatTensor>) => void;
    bytes?: (bytes: Uint8Array) => Uint8Array;
    prefix?: string;
  } = {},
): string {
  const { prefix = '' } = change;
  const rank = 2;
  const tensors = new Map<string, FloatTensor>();
  for (const path of ['layer.0.query', 'layer.1.value']) {
    const key = `${PREFIX}${prefix}${path}`;
    tensors.set(`${key}.lora_A.weight`, { dims: [rank, 32], data: values(rank * 32, 0.7) });
    tensors.set(`${key}.lora_B.weight`, { dims: [32, rank], data: values(32 * rank, 1.3) });
  }
  tensors.set(`${PREFIX}classifier.weight`, { dims: [2, 32], data: values(64, 0.3) });
  tensors.set(`${PREFIX}classifier.bias`, { dims: [2], data: Float32Array.of(0.25, -0.5) });
  change.tensors?.(tensors);
  const config = {
    peft_type: 'LORA',
    r: rank,
    lora_alpha: 8,
    lora_dropout: 0.1,
    target_modules: ['query', 'value'],
    task_type: 'SEQ_CLS',
    bias: 'none',
    use_dora: false,
    ...change.config,
  };
  const folder = lab.path(name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(config));
  const bytes = encodeSafetensors(tensors, { format: 'pt' });
  writeFileSync(join(folder, 'adapter_model.safetensors'), change.bytes ? change.bytes(bytes) : bytes);
  return folder;
}

/** A file of tensors with its values in 16 bits. */
function halved(bytes: Uint8Array): Uint8Array {
  const path = lab.path('whole.safetensors');
  writeFileSync(path, bytes);
  const { tensors } = readSafetensors(path);
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  const parts = [...tensors].map(([name, { dims, data }]) => {
    header[name] = { dtype: 'F16', shape: dims, data_offsets: [end, (end += 2 * data.length)] };
    return Uint16Array.from(data, toHalf);
  });
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts.map((p) => Buffer.from(p.buffer))]);
}

describe('an adapter from another program', () => {
  it('keeps its scale, rank and head, and its labels are reported as assumed', () => {
    const { run, warned } = imported(foreign('plain', { config: { alpha_pattern: { 'layer.1.value': 3 } } }));
    const spec = readRun(run).spec.adapter as LoraSpec;
    expect(spec).toMatchObject({
      method: 'lora',
      rank: 2,
      alpha: 8,
      dropout: 0.1,
      useRslora: false,
      targetModules: ['layer.0.query', 'layer.1.value'],
      alphaPattern: { 'layer\\.1\\.value': 3 },
    });
    expect(warned).toContain(
      'does not list its labels: they are assumed to be "other", "pets", in this order',
    );
    expect(warned).toContain(
      'does not state what its head reads: it is applied to the mean of the hidden states',
    );
    const { tensors } = readSafetensors(join(run, 'checkpoints/step-000000/adapter.safetensors'));
    expect([...tensors.get('head.bias')!.data]).toEqual([0.25, -0.5]);
    // It computes the same as merging by hand.
    const merged = exported(run, 'onnx-merged', 'plain-merged');
    const record = JSON.parse(readFileSync(join(merged, 'export.json'), 'utf8')) as {
      largestDifference: number;
    };
    expect(record.largestDifference).toBeLessThan(1e-4);
  });

  it('can be a DoRA from PEFT', () => {
    const folder = foreign('dora', {
      config: { use_dora: true },
      tensors(t) {
        for (const path of ['layer.0.query', 'layer.1.value'])
          t.set(`${PREFIX}${path}.lora_magnitude_vector`, {
            dims: [32],
            data: values(32, 1).map((v) => 1 + v),
          });
      },
    });
    const { run } = imported(folder);
    expect(readRun(run).spec.adapter).toMatchObject({ method: 'dora', rank: 2, alpha: 8 });
    const again = exported(run, 'peft-lora', 'dora-again');
    const weights = (of: string) => readSafetensors(join(of, 'adapter_model.safetensors')).tensors;
    expect(weights(again)).toEqual(weights(folder));
    const config = JSON.parse(readFileSync(join(again, 'adapter_config.json'), 'utf8')) as object;
    expect(config).toMatchObject({ peft_type: 'LORA', use_dora: true });
  });

  it('gets a card with its origin and nothing that was not done here', () => {
    const folder = foreign('plain');
    const { run } = imported(folder);
    const card = readFileSync(join(exported(run, 'peft-lora', 'plain-card'), 'README.md'), 'utf8');
    expect(card).toContain(
      'of `lab`, imported from `plain` into AuroRA Lab'.replace('lab', basename(lab.folder)),
    );
    expect(card).toContain('| as imported |');
    expect(card).toContain('- Training: unknown, because the adapter was imported.');
    expect(card).toContain('library_name: peft');
    expect(card).toContain('tags: [lora]');
  });

  it('in float16 is read as the nearest float32 numbers', () => {
    const { run } = imported(foreign('half', { bytes: halved }));
    const { run: whole } = imported(foreign('plain'));
    const read = (r: string) =>
      readSafetensors(join(r, 'checkpoints/step-000000/adapter.safetensors')).tensors;
    for (const [name, { data }] of read(whole))
      read(run)
        .get(name)!
        .data.forEach((v, i) =>
          expect(Math.abs(v - data[i])).toBeLessThan(5e-4 * Math.max(1e-2, Math.abs(data[i]))),
        );
  });

  it.each(['bert.', 'model.bert.encoder.'])('fits a model that was wrapped as %s', (prefix) => {
    const { run } = imported(foreign(`wrapped-${prefix}`, { prefix }));
    expect((readRun(run).spec.adapter as AuroraSpec).targetModules).toEqual([
      'layer.0.query',
      'layer.1.value',
    ]);
    expect(lastMetrics(run)).toEqual(lastMetrics(imported(foreign('plain')).run));
  });

  it('without a head gets an untrained one, with a warning', () => {
    const folder = foreign('headless', {
      tensors(t) {
        t.delete(`${PREFIX}classifier.weight`);
        t.delete(`${PREFIX}classifier.bias`);
      },
    });
    expect(imported(folder).warned).toContain('has no head: the run starts with an untrained one');
  });

  const rename = (from: string, to: string) => (t: Map<string, FloatTensor>) => {
    const found = [...t].find(([key]) => key.endsWith(from))!;
    t.delete(found[0]);
    t.set(found[0].replace(from, to), found[1]);
  };
  it.each<[string, Parameters<typeof foreign>[1], RegExp]>([
    [
      'DoRA without its vectors',
      { config: { use_dora: true } },
      /has no layer.0.query.lora_magnitude_vector/,
    ],
    [
      'LoRA with vectors of DoRA',
      {
        tensors: (t) =>
          t.set(`${PREFIX}layer.0.query.lora_magnitude_vector`, { dims: [32], data: values(32, 1) }),
      },
      /has layer.0.query.lora_magnitude_vector, which its configuration does not mention/,
    ],
    ['a bias that is missing', { config: { lora_bias: true } }, /has no layer\.0\.query\.lora_B\.bias/],
    [
      'a bias that is not expected',
      { tensors: (t) => t.set(`${PREFIX}layer.0.query.lora_B.bias`, { dims: [32], data: values(32, 1) }) },
      /has layer\.0\.query\.lora_B\.bias, which its configuration does not mention/,
    ],
    [
      'a bias beside DoRA',
      { config: { lora_bias: true, use_dora: true } },
      /has lora_bias and use_dora, which PEFT does not allow together/,
    ],
    [
      'a bias beside another initialization',
      { config: { lora_bias: true, init_lora_weights: 'gaussian' } },
      /is not valid: adapter\.initialization is "gaussian", but PEFT allows only its default/,
    ],
    [
      'QALoRA',
      { config: { use_qalora: true } },
      /uses QALoRA \(use_qalora\), which AuroRA Lab does not support/,
    ],
    [
      'an embedding',
      { tensors: rename('.lora_A.weight', '.lora_embedding_A') },
      /contains LoRA on an embedding/,
    ],
    ['biases', { config: { bias: 'all' } }, /trains biases too \(bias "all"\)/],
    [
      'another method',
      { config: { peft_type: 'PROMPT_TUNING' } },
      /has the unsupported method PROMPT_TUNING/,
    ],
    ['no rank', { config: { r: null } }, /is missing r\./],
    ['no alpha', { config: { lora_alpha: 'x' } }, /has lora_alpha "x", which must be a number/],
    [
      'a larger head',
      { tensors: rename('classifier.weight', 'classifier.out_proj.weight') },
      /contains a head with more than one layer/,
    ],
    [
      'an unknown tensor',
      { tensors: rename('classifier.weight', 'something') },
      /does not belong to any supported adapter: base_model.model.something/,
    ],
    [
      'layers that the model does not have',
      { tensors: rename('layer.0.query.lora_A.weight', 'layer.7.query.lora_A.weight') },
      /adapts 1 module that the model does not have, such as layer\.7\.query \(nearest: layer\./,
    ],
    [
      'half an adapter',
      { tensors: (t) => t.delete(`${PREFIX}layer.0.query.lora_B.weight`) },
      /has no layer\.0\.query\.lora_B\.weight/,
    ],
    [
      'the wrong sizes',
      {
        tensors: (t) =>
          t.set(`${PREFIX}layer.0.query.lora_B.weight`, { dims: [16, 2], data: new Float32Array(32) }),
      },
      /lora_B\.weight is \[16, 2\], but layer\.0\.query \(32 × 32\) needs \[32, 2\]/,
    ],
    [
      'a different number of labels',
      {
        tensors(t) {
          t.set(`${PREFIX}classifier.weight`, { dims: [3, 32], data: new Float32Array(96) });
          t.set(`${PREFIX}classifier.bias`, { dims: [3], data: new Float32Array(3) });
        },
      },
      /is 3 × 32, but the experiment needs 2 × 32/,
    ],
    [
      'two models in one',
      {
        tensors(t) {
          for (const [key, tensor] of [...t]) {
            if (!key.includes('layer.0.query')) continue;
            t.delete(key);
            for (const part of ['text_model.', 'vision_model.'])
              t.set(key.replace('layer.0', `${part}layer.0`), tensor);
          }
        },
      },
      /adapts \d modules that the model does not have, such as (text|vision)_model\.layer\.0\.query/,
    ],
    [
      'CorDA',
      { config: { init_lora_weights: 'corda' } },
      /"corda", with which PEFT changes the weights of the base model/,
    ],
    [
      'LoftQ',
      { config: { init_lora_weights: 'loftq' } },
      /"loftq", with which PEFT changes the weights of the base model/,
    ],
    [
      'two heads',
      { tensors: (t) => t.set(`${PREFIX}score.weight`, { dims: [2, 32], data: new Float32Array(64) }) },
      /has two heads; base_model\.model\.score\.weight belongs to the second/,
    ],
    [
      'half a head',
      { tensors: (t) => t.delete(`${PREFIX}classifier.weight`) },
      /has a head with a bias but no weight/,
    ],
    [
      'a bias of the wrong length',
      { tensors: (t) => t.set(`${PREFIX}classifier.bias`, { dims: [3], data: new Float32Array(3) }) },
      /is not a linear layer: its weight is \[2, 32\] and its bias is \[3\]/,
    ],
    [
      'NaN values',
      {
        tensors: (t) => t.get(`${PREFIX}layer.0.query.lora_B.weight`)!.data.fill(NaN, 3, 4),
      },
      /layer\.0\.query\.lora_B\.weight contains values that are not finite/,
    ],
    ['half a rank', { config: { r: 2.5 } }, /is not valid: adapter\.rank is 2\.5, expected a whole number/],
    ['a dropout above 1', { config: { lora_dropout: 1.5 } }, /adapter\.dropout is 1\.5, expected a number/],
    [
      'a regular expression that only Python supports',
      { config: { alpha_pattern: { '(?P<x>query)': 3 } } },
      /has a regular expression in alpha_pattern that is not supported: "\(\?P<x>query\)"/,
    ],
    ...(
      [
        ['spline_order', 7, /adapter\.splineOrder is 7, expected 1, 2 or 3/],
        ['grid_size', 0, /adapter\.gridSize is 0, expected a whole number/],
        ['grid_range', 'x', /adapter\.gridRange is "x", expected/],
        ['grid_range', [1, -1], /adapter\.gridRange is \[1, -1\], expected the lower end first/],
        ['activation', 'foo', /adapter\.activation is "foo", expected "tanh"/],
        ['spline', 'per-row', /adapter\.spline is "per-row", expected "shared"/],
      ] as const
    ).map(([key, value, message]): [string, Parameters<typeof foreign>[1], RegExp] => [
      `${key} ${JSON.stringify(value)}`,
      { config: { peft_type: 'AURORA', aurora_alpha: 4, [key]: value } },
      message,
    ]),
    ['a truncated file', { bytes: (b) => b.subarray(0, b.length - 100) }, /is not a valid safetensors file/],
  ])('is rejected with %s', (name, change, message) => {
    const out = lab.path('refused');
    const r = lab.run(
      'import',
      foreign(`refused-${name}`, change),
      '--experiment',
      lab.experiment,
      '--out',
      out,
    );
    expect([r.code, r.err]).toEqual([22, expect.stringMatching(message)]);
    expect(r.err).toMatch(/\n {7}\S/);
    // No partial run is left.
    expect(readdirSync(lab.path('.')).includes('refused') ? readdirSync(out) : []).toEqual([]);
  });

  it('is rejected if its file cannot be read', () => {
    const folder = foreign(basename(lab.fresh('unreadable')));
    rmSync(join(folder, 'adapter_model.safetensors'));
    mkdirSync(join(folder, 'adapter_model.safetensors'));
    const r = lab.run('import', folder, '--experiment', lab.experiment);
    expect([r.code, r.err]).toEqual([
      22,
      expect.stringMatching(/adapter_model\.safetensors cannot be read: EISDIR/),
    ]);
  });

  it("as a LoRA ignores the experiment's AuroRA-only setting", () => {
    const folder = foreign('plain');
    const { run, warned } = imported(folder, '--set', 'training.staticEpochs=1');
    expect(warned).toContain('training.staticEpochs of the experiment is ignored: it applies only to AuroRA');
    const fork = lab.run('train', '--fork', run, '--at', '0', '--device', 'cpu');
    expect([fork.code, fork.err]).toEqual([0, expect.not.stringContaining('error')]);
  });

  it('as a pickle file is not opened', () => {
    const folder = lab.fresh('pickle');
    mkdirSync(folder);
    writeFileSync(join(folder, 'adapter_config.json'), '{}');
    writeFileSync(join(folder, 'adapter_model.bin'), 'x');
    const r = lab.run('import', folder, '--experiment', lab.experiment);
    expect([r.code, r.err]).toEqual([
      22,
      expect.stringContaining('adapter_model.bin is a pickle, which can run arbitrary code'),
    ]);
  });

  it('with labels that the data do not have is rejected with the line', () => {
    const run = train('labeled', 'data.labelColumn=label');
    const folder = exported(run, 'adapter', 'labeled-file');
    lab.write('cats.jsonl', '{"text":"the cat","label":"cats"}\n{"text":"the play","label":"other"}\n');
    const r = lab.run('import', folder, '--experiment', lab.experiment, '--set', 'data.train=cats.jsonl');
    expect([r.code, r.err]).toEqual([
      12,
      expect.stringMatching(/cats\.jsonl:1: the label "cats" is not among the 2 that are trained/),
    ]);
  });
});
