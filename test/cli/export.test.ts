import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import { GraphBuilder } from '../../src/graph/builder';
import { DType } from '../../src/graph/dtype';
import { loadModel } from '../../src/graph/file/load';
import { isFileRef, type FileRef, type Model, type Node } from '../../src/graph/model';
import { encodeModel } from '../../src/graph/onnx/encode';
import { externalOf } from '../../src/graph/onnx/tensor';
import { readSafetensors } from '../../src/graph/file/safetensors';
import { saveModel } from '../../src/graph/file/save';
import { readTensorBytes, tensorNumbers, tensorOf } from '../../src/graph/values';
import { readRun } from '../read-run';
import type { ExportRecord } from '../../src/protocol/export';
import { Lab } from './lab';

const lab = new Lab({ training: { epochs: 2, learningRate: 0.03, checkpointEvery: 1000 } });
afterAll(() => lab.remove());
const LORA = 'adapter={"method":"lora","rank":2,"targetModules":["query","value"]}';
const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

function trained(out: string, ...settings: string[]): string {
  const set = settings.flatMap((s) => ['--set', s]);
  const r = lab.run('train', lab.experiment, '--out', lab.path(out), ...set);
  expect([r.code, r.err]).toEqual([0, expect.not.stringContaining('error')]);
  return lab.runs(lab.path(out))[0];
}

/** Exports the best state. */
function exported(run: string, form: string, ...more: string[]) {
  const r = lab.run('export', run, '--as', form, ...more);
  expect([r.code, r.err]).toEqual([0, expect.stringContaining('the exported files on 24 examples')]);
  const folder = /^Wrote (.*)$/m.exec(r.out)![1];
  const record = JSON.parse(readFileSync(join(folder, 'export.json'), 'utf8')) as ExportRecord;
  expect(record).toMatchObject({ program: 'aurora-lab', form, run: basename(run) });
  return { folder, record, out: r.out };
}

/** Exports an ONNX form and reads it back. */
function exportedModel(run: string, form: string, ...more: string[]) {
  const result = exported(run, form, ...more);
  const path = join(result.folder, 'model.onnx');
  return { ...result, path, model: loadModel(path) };
}

/** The logits of two padded texts, computed with the runtime only. */
async function logits(path: string, adapter?: string): Promise<number[]> {
  const session = await InferenceSession.create(path);
  const ids = (rows: number[][]) => new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [2, 5]);
  const feeds: Record<string, Tensor> = {
    input_ids: ids([
      [2, 5, 6, 8, 3],
      [2, 7, 3, 0, 0],
    ]),
    attention_mask: ids([
      [1, 1, 1, 1, 1],
      [1, 1, 1, 0, 0],
    ]),
    token_type_ids: ids([
      [0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
    ]),
  };
  if (adapter)
    for (const [name, { dims, data }] of readSafetensors(adapter).tensors)
      feeds[name] = new Tensor('float32', data, dims);
  const given = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]]));
  const out = (await session.run(given))['logits'];
  await session.release();
  expect(out.dims).toEqual([2, 2]);
  return [...(out.data as Float32Array)];
}

const apart = (a: number[], b: number[]) => Math.max(...a.map((x, i) => Math.abs(x - b[i])));

describe('aurora export', () => {
  const before = hash(lab.path('model.onnx'));
  const aurora = trained('aurora');
  const lora = trained('lora', LORA);

  it('writes the trained form, the fitted form and the paper’s merge, and reports how much they differ', async () => {
    const dynamic = exportedModel(aurora, 'onnx-dynamic');
    const fitted = exportedModel(aurora, 'onnx-merged', '--accept-drop', '--out', lab.path('by-fit'));
    const paper = exportedModel(
      ...[aurora, 'onnx-merged', '--accept-drop', '--merge', 'paper', '--out', lab.path('by-paper')],
    );
    const { metrics } = dynamic.record;
    expect(metrics.exported.loss).toBeCloseTo(metrics.trained.loss, 5);
    for (const other of [metrics.fitted!, metrics.paper!, metrics.removed!])
      expect(other.loss).not.toBeCloseTo(metrics.trained.loss, 5);
    expect(fitted.record).toMatchObject({ merge: 'fitted', fit: { layers: 4, withBias: 4 } });
    expect(fitted.record.metrics.exported.loss).toBeCloseTo(metrics.fitted!.loss, 5);
    expect(paper.record).toMatchObject({ merge: 'paper' });
    expect(dynamic.record.lossRise).toBeUndefined();
    for (const [{ record }, to] of [
      [fitted, metrics.fitted!],
      [paper, metrics.paper!],
    ] as const)
      expect(record.lossRise!.mean).toBeCloseTo(to.loss - metrics.trained.loss, 5);
    expect(paper.record.metrics.exported.loss).toBeCloseTo(metrics.paper!.loss, 5);
    for (const { record } of [fitted, paper])
      expect(record.metrics).toEqual({ ...metrics, exported: record.metrics.exported });
    // As measured by the run.
    const best = readRun(aurora).events.findLast((e) => e.kind === 'evaluation' && e.best);
    expect(best).toMatchObject({ step: dynamic.record.step, metrics: metrics.trained });
    const [x, y, z] = await Promise.all([dynamic, fitted, paper].map(({ path }) => logits(path)));
    expect(apart(x, y)).toBeGreaterThan(1e-6);
    expect(apart(x, y)).toBeLessThan(apart(x, z));
    expect([...x, ...y, ...z].every(Number.isFinite)).toBe(true);
    expect(dynamic.out).toMatch(
      /as trained .*\nfitted .*\nthe paper’s merge .*\nadapters removed .*\nthese files \(onnx-dynamic\) /,
    );
    expect(fitted.out).toMatch(
      /a linear fit of AuroRA’s nonlinearity, computed on at least [\d,]+ training tokens in each layer: here, accuracy (does not change|(rises|falls) by [\d.]+ points?)\./,
    );
    expect(paper.out).toContain('The paper’s merge computes another function');
    expect(dynamic.model.metadata.get('aurora.labels')).toBe('["other","pets"]');
    expect(fitted.model.metadata.get('aurora.form')).toBe('onnx-merged');
    expect(hash(lab.path('model.onnx'))).toBe(before);
  });

  it('refuses --merge where nothing is merged, and other words for it', () => {
    expect(lab.run('export', aurora, '--as', 'adapter', '--merge', 'paper').err).toContain(
      '--merge is for --as peft-lora, kohya, onnx-merged, safetensors, gguf-lora and gguf: adapter holds the adapters as trained.',
    );
    expect(lab.run('export', aurora, '--as', 'peft-lora', '--merge', 'x').err).toContain(
      '--merge takes fitted or paper, not "x".',
    );
  });

  it('gives the same logits in both forms for LoRA', async () => {
    const dynamic = await logits(exportedModel(lora, 'onnx-dynamic').path);
    const merged = await logits(exportedModel(lora, 'onnx-merged').path);
    expect(apart(dynamic, merged)).toBeLessThan(1e-4);
    const untrained = await logits(
      exportedModel(trained('none', LORA, 'training.learningRate=1e-9'), 'onnx-merged').path,
    );
    expect(apart(merged, untrained)).toBeGreaterThan(1e-2);
  });

  it('merges without adding a node beyond the model and the head, and moves nothing', () => {
    const original = loadModel(lab.path('model.onnx'));
    const { graph, opsets } = exportedModel(lora, 'onnx-merged').model;
    const own = graph.nodes.filter((n) => !n.name.startsWith('/aurora/') && n.name !== 'logits');
    const known = ({ opType, name, inputs, outputs }: Node) => [opType, name, inputs, outputs];
    expect(own.map(known)).toEqual(original.graph.nodes.map(known));
    expect(graph.nodes.length - own.length).toBeLessThan(12);
    expect(opsets).toEqual(original.opsets);
    const names = [...original.graph.initializers.keys()];
    expect([...graph.initializers.keys()].slice(0, names.length)).toEqual(names);
    const changed = [...original.graph.initializers.values()].filter(
      (t) => !Buffer.from(readTensorBytes(t)).equals(readTensorBytes(graph.initializers.get(t.name)!)),
    );
    expect(changed).toHaveLength(4);
  });

  it.each(['mean', 'first-token'])(
    'keeps the opset of the model, with a head on %s pooling',
    async (pooling) => {
      copyFileSync(resolve('test/fixtures/reference/bert-opset13.onnx'), lab.path('opset13.onnx'));
      const run = trained(`opset13-${pooling}`, LORA, 'model.path=opset13.onnx', `task.pooling=${pooling}`);
      const merged = exportedModel(run, 'onnx-merged');
      expect(merged.model.opsets.get('')).toBe(13);
      const dynamic = exportedModel(run, 'onnx-dynamic');
      expect(apart(await logits(merged.path), await logits(dynamic.path))).toBeLessThan(1e-4);
    },
  );

  it('finds weights in Constant nodes and leaves them there', async () => {
    copyFileSync(resolve('test/fixtures/reference/more/bert-distinct.onnx'), lab.path('constants.onnx'));
    const run = trained(
      'constants',
      'adapter={"method":"lora","rank":2,"targetModules":"all-linear"}',
      'model.path=constants.onnx',
    );
    const { model, path } = exportedModel(run, 'onnx-merged');
    const constants = (m: Model) =>
      m.graph.nodes.filter((n) => n.opType === 'Constant').map((n) => n.outputs[0]);
    const before = loadModel(lab.path('constants.onnx'));
    expect(constants(before).length).toBeGreaterThan(10);
    expect(constants(model)).toEqual(constants(before));
    expect(model.opsets.get('')).toBe(9);
    const dynamic = exportedModel(run, 'onnx-dynamic');
    expect(apart(await logits(path), await logits(dynamic.path))).toBeLessThan(1e-4);
  });

  it("leaves the model's external weights in place and uses the same layout for the copy", async () => {
    saveModel(loadModel(lab.path('model.onnx')), lab.path('apart.onnx'), 0);
    const data = lab.path('apart.onnx.data');
    const [whole, weights] = [hash(lab.path('apart.onnx')), hash(data)];
    const run = trained('apart', LORA, 'model.path=apart.onnx');
    const { path, folder, model } = exportedModel(run, 'onnx-merged');
    const copy = join(folder, 'apart.onnx.data');
    expect(statSync(copy).size).toBe(statSync(data).size);
    // Sixteen rows of 32 are one module's weight; four of them changed.
    const [before, after] = [readFileSync(data), readFileSync(copy)];
    const changed = Array.from(before.keys()).filter((i) => before[i] !== after[i]);
    const places = [...model.graph.initializers.values()].flatMap((t) =>
      isFileRef(t.data) && t.data.path === realpathSync(copy) ? [t] : [],
    );
    const touched = places.filter(({ data }) =>
      changed.some((i) => isFileRef(data) && i >= data.offset && i < data.offset + data.length),
    );
    expect(touched).toHaveLength(4);
    expect(apart(await logits(path), await logits(exportedModel(lora, 'onnx-merged').path))).toBe(0);
    const dynamic = exportedModel(run, 'onnx-dynamic');
    expect(readdirSync(dynamic.folder)).toContain('model.onnx.data');
    expect(apart(await logits(path), await logits(dynamic.path))).toBeLessThan(1e-4);
    expect([hash(lab.path('apart.onnx')), hash(data)]).toEqual([whole, weights]);
  });

  it('never overwrites anything but an export', () => {
    for (const [name, message] of [
      ['model.onnx', 'already exists and is a file'],
      ['.', 'already exists and is not an AuroRA Lab export'],
    ]) {
      const r = lab.run('export', lora, '--as', 'onnx-merged', '--out', lab.path(name));
      expect([r.code, r.err]).toEqual([2, expect.stringContaining(`${resolve(lab.path(name))} ${message}`)]);
      expect(r.err).toMatch(/\n {7}Choose a new folder/);
    }
    expect(hash(lab.path('model.onnx'))).toBe(before);
    // An older export is replaced as a whole.
    const out = lab.path('taken');
    exported(aurora, 'onnx-dynamic', '--out', out);
    exported(lora, 'adapter', '--out', out);
    expect(readdirSync(out).sort()).toEqual([
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
      'aurora.json',
      'aurora_peft_loader.py',
      'export.json',
    ]);
    expect(readdirSync(lab.folder).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  it('needs the training data only for the fitted form', () => {
    const away = lab.path('train.jsonl.away');
    const fresh = trained('without-training-data');
    renameSync(lab.path('train.jsonl'), away);
    try {
      const { folder } = exported(lora, 'peft-lora', '--out', lab.fresh('without-training-data-lora'));
      expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(
        '- Training: 96 examples from `train.jsonl`.',
      );
      const refused = lab.run('export', fresh, '--as', 'peft-lora');
      expect([refused.code, refused.err]).toEqual([EXIT.inputs, expect.stringContaining('train.jsonl')]);
      expect(refused.err).toContain('--merge paper');
      for (const more of [['adapter'], ['peft-lora', '--merge', 'paper', '--accept-drop']]) {
        const r = lab.run('export', fresh, '--as', ...more, '--out', lab.fresh('without-training-data-out'));
        expect([r.code, r.err]).toEqual([0, expect.stringContaining('The linear fit was left out.')]);
        expect(r.out).toContain('the paper’s merge');
        expect(r.out).not.toContain('fitted');
      }
    } finally {
      renameSync(away, lab.path('train.jsonl'));
    }
  });

  it.each(['tokenizer.json', 'special_tokens_map.json', 'LICENSE'])(
    'rejects a model with a data file that has the name of an exported file: %s',
    (name) => {
      const folder = lab.fresh(`named-${name}`);
      const path = join(folder, 'model.onnx');
      mkdirSync(folder);
      saveModel(loadModel(lab.path('model.onnx')), path, 0);
      renameSync(`${path}.data`, join(folder, name));
      copyFileSync(join(folder, name), `${path}.data`);
      const named = encodeModel(loadModel(path), (t) => {
        const place = externalOf.get(t);
        return place && { ...place, location: `./${name}`, length: (t.data as FileRef).length };
      });
      writeFileSync(path, named);
      const model = `model.path=${path}`;
      const run = trained(`${basename(folder)}-run`, LORA, model, 'model.tokenizer=tokenizer.json');
      const r = lab.run('export', run, '--as', 'onnx-merged');
      expect([r.code, r.err]).toEqual([
        4,
        expect.stringContaining(`stores weights in "${name}", a file name that is reserved for the export`),
      ]);
    },
  );

  it('unties a weight that is also an embedding', async () => {
    saveModel(tiedModel(), lab.path('tied.onnx'));
    const adapter = 'adapter={"method":"lora","rank":2,"targetModules":["project"]}';
    const run = trained('tied', adapter, 'model.path=tied.onnx');
    const merged = exportedModel(run, 'onnx-merged');
    const dynamic = exportedModel(run, 'onnx-dynamic');
    expect(apart(await logits(merged.path), await logits(dynamic.path))).toBeLessThan(1e-4);
    const { graph } = merged.model;
    const table = tiedModel().graph.initializers.get('table')!;
    expect(tensorNumbers(graph.initializers.get('table')!)).toEqual(tensorNumbers(table));
    const product = graph.nodes.find((n) => n.name === '/project/MatMul')!;
    expect(graph.initializers.get(product.inputs[1])!.dims).toEqual([8, 32]);
  });
});

describe("the adapter in PEFT's layout", () => {
  const contents = (settings: string[], out: string) => {
    const folder = join(trained(out, ...settings), 'adapter', 'best');
    const { tensors } = readSafetensors(join(folder, 'adapter_model.safetensors'));
    const text = readFileSync(join(folder, 'adapter_config.json'), 'utf8');
    const config = JSON.parse(text) as Record<string, unknown>;
    expect(Object.keys(config)).toEqual(Object.keys(config).sort());
    return { shapes: Object.fromEntries([...tensors].map(([k, t]) => [k, t.dims])), config };
  };
  const head = { 'base_model.model.classifier.weight': [2, 32], 'base_model.model.classifier.bias': [2] };
  const of = (name: string, dims: number[]) =>
    Object.fromEntries([0, 1].map((i) => [`base_model.model.layer.${i}.query.${name}`, dims]));

  it("matches PEFT's own for LoRA", () => {
    const { shapes, config } = contents(
      ['adapter={"method":"lora","rank":3,"alpha":6,"useRslora":true,"targetModules":["query"]}'],
      'peft-lora',
    );
    expect(shapes).toEqual({
      ...head,
      ...of('lora_A.weight', [3, 32]),
      ...of('lora_B.weight', [32, 3]),
    });
    expect(config).toMatchObject({
      peft_type: 'LORA',
      task_type: 'SEQ_CLS',
      r: 3,
      lora_alpha: 6,
      lora_dropout: 0,
      use_rslora: true,
      bias: 'none',
      fan_in_fan_out: false,
      inference_mode: true,
      target_modules: ['layer.0.query', 'layer.1.query'],
      modules_to_save: ['classifier'],
    });
  });

  it('has the ANL beside A and B for AuroRA', () => {
    const { shapes, config } = contents(
      ['adapter={"method":"aurora","rank":2,"gridSize":4,"splineOrder":2,"targetModules":["query"]}'],
      'peft-aurora',
    );
    expect(shapes).toEqual({
      ...head,
      ...of('aurora_A.weight', [2, 32]),
      ...of('aurora_B.weight', [32, 2]),
      ...of('aurora_anl.base_weight', [2, 2]),
      ...of('aurora_anl.spline_weight', [2, 6]),
    });
    expect(config).toMatchObject({
      peft_type: 'AURORA',
      r: 2,
      grid_size: 4,
      spline_order: 2,
      spline: 'shared',
      activation: 'tanh',
    });
  });

  it('has weights for each pair of rank dimensions if the spline is per pair', () => {
    const { shapes, config } = contents(
      ['adapter={"method":"aurora","rank":2,"spline":"per-pair","targetModules":["query"]}'],
      'peft-aurora-pairs',
    );
    expect(shapes).toMatchObject(of('aurora_anl.spline_weight', [2, 2, 8]));
    expect(config).toMatchObject({ peft_type: 'AURORA', spline: 'per-pair' });
  });
});

/** Token embeddings, with their transpose as the weight of a later layer. */
function tiedModel(): Model {
  const graph: Model['graph'] = { name: 'tied', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '');
  const ids = g.addInput('input_ids', DType.int64, ['batch', 'sequence']);
  const values = Array.from({ length: 32 * 8 }, (_, i) => Math.sin(i));
  const table = tensorOf('table', DType.float, [32, 8], values);
  g.addInitializer(table);
  const hidden = g.op('Tanh', [g.op('Gather', ['table', ids])]);
  const weight = g.op('Transpose', ['table'], { perm: [1, 0] });
  g.op('MatMul', [hidden, weight], {}, { name: '/project/MatMul', outputs: ['hidden_states'] });
  graph.outputs.push({ name: 'hidden_states', dtype: DType.float, shape: ['batch', 'sequence', 32] });
  return { irVersion: 8, producer: 'test', opsets: new Map([['', 17]]), graph, metadata: new Map() };
}

describe('the exported state', () => {
  it.each([
    ['best', undefined],
    ['last', 'last'],
    ['12', '12'],
  ])('can be %s', (_, at) => {
    const run = trained(`at-${at}`, 'training.checkpointEvery=4');
    const out = lab.path(`at-${at}-out`);
    const r = lab.run('export', run, '--as', 'adapter', '--out', out, ...(at ? ['--at', at] : []));
    expect(r.code).toBe(0);
    const { step } = JSON.parse(readFileSync(join(out, 'export.json'), 'utf8')) as ExportRecord;
    const best = readRun(run).events.findLast((e) => e.kind === 'evaluation' && e.best) as { step: number };
    expect(step).toBe(at === undefined ? best.step : at === 'last' ? 24 : 12);
    const { tensors } = readSafetensors(join(out, 'adapter_model.safetensors'));
    const saved = readSafetensors(join(run, `checkpoints/step-0000${step}/adapter.safetensors`)).tensors;
    expect([...tensors.get('base_model.model.layer.1.value.aurora_A.weight')!.data]).toEqual([
      ...saved.get('layer.1.value.A')!.data,
    ]);
  });

  it.each([
    [['--at', '7'], 20, /has no checkpoint of step 7.\n {7}It has checkpoints of steps /],
    [['--at', 'x'], 2, /--at takes best, last or the step of a checkpoint, not "x"/],
    [['--as', 'tflite'], 2, /--as takes adapter, peft-lora, .*, not "tflite"/],
  ])('cannot be %s', (more, code, message) => {
    const r = lab.run('export', lab.runs(lab.path('aurora'))[0], '--as', 'adapter', ...more);
    expect([r.code, r.err]).toEqual([code, expect.stringMatching(message)]);
  });

  it('of a head alone supports every form except a LoRA', () => {
    const run = trained('head', 'adapter={"method":"none"}');
    const r = lab.run('export', run, '--as', 'peft-lora');
    expect([r.code, r.err]).toEqual([
      2,
      expect.stringContaining('trained only a head; that cannot be written as a LoRA'),
    ]);
    for (const form of ['adapter', 'onnx-dynamic', 'onnx-merged', 'onnx-adapter-inputs']) {
      const { record } = exported(run, form);
      expect(record.metrics.exported.loss).toBeCloseTo(record.metrics.trained.loss, 5);
    }
  });
});

describe('the model card', () => {
  it('gives the base model, the metrics and the license, and nothing about this machine', () => {
    const config = {
      _name_or_path: '/home/alice/secret-model',
      model_type: 'bert',
      architectures: ['BertForMaskedLM'],
      num_labels: 9,
      problem_type: 'multi_label_classification',
    };
    lab.write('config.json', JSON.stringify(config));
    lab.write('LICENSE', 'MIT License\n\nPermission is hereby granted, free of charge, to any person');
    const { folder } = exported(lab.runs(lab.path('aurora'))[0], 'onnx-dynamic', '--out', lab.path('carded'));
    const card = readFileSync(join(folder, 'README.md'), 'utf8');
    expect(card).toMatch(
      /^---\nbase_model: "aurora-cli-\w+"\nlicense: mit\npipeline_tag: text-classification\n/,
    );
    expect(card).toContain('AuroRA of rank 2 (alpha 4) on 4 modules');
    expect(card).toContain('| these files (onnx-dynamic) |');
    expect(card).toContain('2 labels, in the order of the logits: `other`, `pets`.');
    expect(card).toContain('The license of the base model is mit. The license text is in `LICENSE`.');
    expect(card).not.toContain(lab.folder);
    expect(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))).toEqual({
      model_type: 'bert',
      problem_type: 'single_label_classification',
      id2label: { 0: 'other', 1: 'pets' },
      label2id: { other: 0, pets: 1 },
    });
    expect(card).not.toContain(hostname());
    expect(readdirSync(folder).sort()).toEqual([
      'LICENSE',
      'README.md',
      'config.json',
      'export.json',
      'model.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const { files } = JSON.parse(readFileSync(join(folder, 'export.json'), 'utf8')) as ExportRecord;
    expect(files['model.onnx']).toBe(hash(join(folder, 'model.onnx')));
  });
});
