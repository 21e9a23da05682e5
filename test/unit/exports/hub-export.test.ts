import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readHeader, type StoredTensor, readWeights } from '../../../src/architectures/folder/weight-files';
import { writeTensors } from '../../../src/architectures/folder/weights';
import { folderWeights, loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { saveChanged } from '../../../src/graph/file/save';
import { toBfloat16 } from '../../../src/graph/number-formats';
import { readFileRef, readTensorBytes, tensorValues } from '../../../src/graph/values';
import type { Experiment } from '../../../src/experiment/experiment';
import { loadExperiment } from '../../../src/runs/experiment/load';
import type { Trained } from '../../../src/training/checkpoint/trained-run';
import { logitsName } from '../../../src/exports/logits-head';
import { ChangedWeights, writeWeights } from '../../../src/exports/hub-weights';
import { hubFolder } from '../../../src/exports/hub-form';
import { largestDifference, measureFile, measureTask } from '../../../src/training/measure';
import { mergedModel } from '../../../src/exports/merged';
import { adaptModel } from '../../../src/training/task/adapted-model';
import { initialAdapters, perturbed } from '../../../src/training/task/initialize';
import { initialParameters, prepareTask, type Task } from '../../../src/training/task/task';
import { Lab } from '../../cli/lab';

const FIXTURES = resolve('test/fixtures/hf');
const lab = new Lab();
// The user's cache stays as it is.
const before = process.env.XDG_CACHE_HOME;
process.env.XDG_CACHE_HOME = lab.path('user-cache');
afterAll(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  lab.remove();
});

/** A folder with adapters on it that have learned something. */
function adapted(model: string, targetModules: string[], method: object = { method: 'lora', rank: 2 }) {
  const spec = loadExperiment(lab.experiment, [
    `model.path=${model}`,
    'task.head=none',
    `adapter=${JSON.stringify({ ...method, targetModules })}`,
  ]);
  const output = targetModules.includes('lm_head') ? 'logits' : 'last_hidden_state';
  const found = adaptModel({ ...spec, model: { ...spec.model, output } } as Experiment);
  const parameters = perturbed(initialAdapters(found.adapters, 3), 4);
  const task = { ...found, spec, graph: { output } } as unknown as Task;
  return { task, parameters };
}

/** Its weights with the adapters merged, in a new folder. */
function merged(name: string, { task, parameters }: ReturnType<typeof adapted>) {
  const folder = lab.path(name);
  mkdirSync(folder);
  const weights = folderWeights(task.spec.model.path);
  const changed = new ChangedWeights(task, parameters, weights.places);
  writeWeights(folder, weights, changed, () => false);
  copyFileSync(task.spec.model.path, join(folder, 'config.json'));
  return { folder, rounding: changed.rounding };
}

const entries = (path: string) => [...readHeader(path)].map(([name, { dtype, dims }]) => [name, dtype, dims]);

describe('the weights of a folder with adapters merged into them', () => {
  it.each<[string, string[], object?]>([
    ['bert', ['query', 'dense']],
    ['bert-gamma', ['value'], { method: 'bitfit' }],
    ['bert-gamma', ['query', 'dense'], { method: 'lora', rank: 2, loraBias: true }],
    ['gpt2', ['c_attn'], { method: 'lora', rank: 2, loraBias: true }],
    ['gpt2', ['c_attn', 'c_proj']],
    ['llama', ['q_proj', 'down_proj', 'lm_head'], { method: 'aurora', rank: 2 }],
    ['vit', ['query'], { method: 'dora', rank: 2 }],
    ['mixtral', ['w1', 'w2']],
    // All experts are in one tensor.
    ['gpt-oss', ['q_proj', 'gate_up_proj', 'down_proj']],
    ['gpt-oss', ['down_proj'], { method: 'bitfit' }],
  ])('are those of the merged ONNX model, in the same places: %s %o %o', (model, targets, method) => {
    const subject = adapted(join(FIXTURES, model), targets, method);
    const { folder, rounding } = merged(basename(lab.fresh('merged')), subject);
    expect(rounding).toBeUndefined();
    const file = 'model.safetensors';
    expect(entries(join(folder, file)).sort()).toEqual(entries(join(FIXTURES, model, file)).sort());
    const wanted = mergedModel(subject.task, subject.parameters);
    const found = loadModelFrom(modelSource(folder)).graph.initializers;
    for (const [name, tensor] of wanted.model.graph.initializers)
      expect([name, Buffer.from(readTensorBytes(found.get(name)!)).equals(readTensorBytes(tensor))]).toEqual([
        name,
        true,
      ]);
    expect(wanted.changed.size).toBeGreaterThan(1);
    // Tensors that the graph does not use are there too.
    const bytes = (t: StoredTensor) => Buffer.from(readFileRef(t.data));
    const all = readHeader(join(folder, file));
    const used = new Set([...folderWeights(join(folder, 'config.json')).places.values()].map((t) => t.name));
    for (const [name, t] of readHeader(join(FIXTURES, model, file)))
      if (!used.has(name)) expect(bytes(all.get(name)!).equals(bytes(t))).toBe(true);
  });

  it('keep their type and their files, and the rounding is counted', () => {
    const source = lab.path('llama-bf16');
    mkdirSync(source);
    const tensors = [...readHeader(join(FIXTURES, 'llama/model.safetensors')).values()];
    const map: Record<string, string> = {};
    for (const [k, file] of ['a.safetensors', 'b.safetensors'].entries()) {
      const own = tensors.filter((_, i) => i % 2 === k);
      for (const { name } of own) map[name] = file;
      const half = (t: StoredTensor) => () => {
        const values = new Float32Array(Uint8Array.from(readFileRef(t.data)).buffer);
        return new Uint8Array(Uint16Array.from(values, toBfloat16).buffer);
      };
      writeTensors(
        join(source, file),
        own.map((t) => ({ ...t, dtype: 'BF16', data: half(t) })),
      );
    }
    writeFileSync(join(source, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
    copyFileSync(join(FIXTURES, 'llama/config.json'), join(source, 'config.json'));

    const subject = adapted(source, ['q_proj', 'up_proj']);
    const { folder, rounding } = merged('llama-bf16-merged', subject);
    for (const file of ['a.safetensors', 'b.safetensors'])
      expect(entries(join(folder, file))).toEqual(entries(join(source, file)));
    expect(JSON.parse(readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8'))).toEqual({
      metadata: { total_size: tensors.reduce((n, t) => n + t.data.length / 2, 0) },
      weight_map: map,
    });
    let largest = 0;
    const found = loadModelFrom(modelSource(folder)).graph.initializers;
    for (const tensor of mergedModel(subject.task, subject.parameters).changed) {
      const [exact, kept] = [tensor, found.get(tensor.name)!].map((t) => tensorValues(t) as Float32Array);
      exact.forEach((v, i) => (largest = Math.max(largest, Math.abs(v - kept[i]))));
    }
    expect(rounding).toMatchObject({ type: 'BF16', largest });
    expect(rounding!.share).toBeGreaterThan(0);
    expect(rounding!.share).toBeLessThan(1);
  });

  it('stay in a single file that an index names', () => {
    const source = lab.path('gpt2-listed');
    mkdirSync(source);
    const file = 'model-00001-of-00001.safetensors';
    for (const [from, to] of [['model.safetensors', file], ['config.json']])
      copyFileSync(join(FIXTURES, 'gpt2', from), join(source, to ?? from));
    const names = [...readHeader(join(source, file)).keys()];
    const index = { weight_map: Object.fromEntries(names.map((name) => [name, file])) };
    writeFileSync(join(source, 'model.safetensors.index.json'), JSON.stringify(index));
    const { folder } = merged('gpt2-listed-merged', adapted(source, ['c_attn']));
    expect([...readWeights(folder).tensors.keys()].sort()).toEqual(names.sort());
  });

  it('are refused where the embedding is the weight too', () => {
    expect(() => merged('tied', adapted(join(FIXTURES, 'gpt2'), ['lm_head']))).toThrow(
      /lm_head has the same weight as \/wte\/Gather/,
    );
  });

  it('are refused for an adapter with a bias on a layer without one, before anything is written', () => {
    const subject = adapted(join(FIXTURES, 'llama'), ['q_proj'], { method: 'lora', rank: 2, loraBias: true });
    const { places } = folderWeights(subject.task.spec.model.path);
    expect(() => new ChangedWeights(subject.task, subject.parameters, places)).toThrow(
      expect.objectContaining({
        kind: 'model',
        message: expect.stringMatching(
          /^layers\.0\.self_attn\.q_proj has no bias in .*, so the adapter’s bias \(adapter\.loraBias\) cannot be merged/,
        ) as string,
        hint: expect.stringContaining('--as onnx-merged') as string,
      }),
    );
  });
});

describe('a folder with a trained head', () => {
  const folder = lab.path('bert');
  cpSync(join(FIXTURES, 'bert'), folder, { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(lab.path(name), join(folder, name));
  const rows = ['the cat', 'a red dog', 'cat'].map((text) => {
    const words = text.split(' ');
    return JSON.stringify({ words, tags: words.map((w) => (w === 'cat' ? 'B-animal' : 'O')) });
  });
  lab.write('tags.jsonl', rows.join('\n'));

  /** Exports a task, and compares the folder with the merged ONNX model. */
  async function exported(name: string, ...settings: string[]) {
    const task = await prepareTask(
      loadExperiment(lab.experiment, ['model.path=bert', ...settings]),
      lab.path(name),
    );
    const parameters = perturbed(initialParameters(task), 4);
    const out = lab.path(`${name}-out`);
    mkdirSync(out);
    const trained = { task, parameters } as unknown as Trained;
    const written = hubFolder.write(trained, out, lab.path(`${name}-work`), {
      requantize: false,
      precision: 'float16',
    });
    const path = join(lab.path(name), 'model.onnx');
    const { model, changed } = mergedModel(task, parameters);
    saveChanged(model, task.original, path, changed);
    const onnx = await measureFile(task, path, logitsName(task));
    const again = await hubFolder.measure(trained, out, lab.path(`${name}-work`));
    expect(largestDifference(again, onnx)).toBeLessThan(1e-5);
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as Record<string, unknown>;
    return { out, written, config, task };
  }

  it('has it beside the model if transformers has no such class', async () => {
    const { out, written, config } = await exported(
      'beside',
      'adapter={"method":"lora","rank":2,"targetModules":["query"]}',
    );
    expect(written).toEqual({ head: 'head.safetensors' });
    expect(entries(join(out, 'head.safetensors'))).toEqual([
      ['bias', 'F32', [2]],
      ['weight', 'F32', [2, 32]],
    ]);
    expect(config).toMatchObject({ model_type: 'bert' });
    expect(config).not.toHaveProperty('id2label');
    expect(existsSync(join(out, 'tokenizer_config.json'))).toBe(true);
  });

  it.each(['bert.', ''])(
    'has it in the model under the names of its class, whose prefix was "%s"',
    async (prefix) => {
      const stored = [...readHeader(join(FIXTURES, 'bert/model.safetensors')).values()];
      const own = stored.filter(({ name }) => name.startsWith('bert.'));
      const old = { name: 'classifier.weight', dtype: 'F32', dims: [3, 1], data: () => new Uint8Array(12) };
      writeTensors(join(folder, 'model.safetensors'), [
        ...own.map((t) => ({ ...t, name: prefix + t.name.slice('bert.'.length) })),
        old,
      ]);
      const { out, written, config } = await exported(
        `inside-${prefix}`,
        'task={"type":"token-classification"}',
        'data={"train":"tags.jsonl","validation":"tags.jsonl","textColumn":"words","labelColumn":"tags"}',
      );
      expect(written).toEqual({ head: 'BertForTokenClassification' });
      const { tensors } = readWeights(out);
      expect([...tensors.keys()].filter((name) => !name.startsWith('bert.'))).toEqual([
        'classifier.weight',
        'classifier.bias',
      ]);
      expect(tensors.get('classifier.weight')!.dims).toEqual([2, 32]);
      expect(config).toMatchObject({
        architectures: ['BertForTokenClassification'],
        label2id: { 'B-animal': 0, O: 1 },
      });
    },
  );

  it("has BERT's class on its pooler, and a regression in its unit", async () => {
    cpSync(join(FIXTURES, 'bert/model.safetensors'), join(folder, 'model.safetensors'));
    const rows = ['the cat', 'a red dog', 'cat', 'a dog'].map((text, i) =>
      JSON.stringify({ text, label: 100 + 7 * i }),
    );
    lab.write('numbers.jsonl', rows.join('\n'));
    const { written, config } = await exported(
      'pooled',
      'model.output=pooler_output',
      'task={"type":"text-regression"}',
      'data={"train":"numbers.jsonl","validation":"numbers.jsonl"}',
    );
    expect(written).toEqual({ head: 'BertForSequenceClassification' });
    expect(config).toMatchObject({ problem_type: 'regression' });
  });

  it('predicts masked tokens with its own head', async () => {
    const { written, task } = await exported('masked', 'task={"type":"masked-language-modeling"}');
    expect([written, task.graph.output]).toEqual([{}, 'logits']);
  });

  it("keeps the folder's own head, with its labels in their order", async () => {
    const tensors = [...readHeader(join(FIXTURES, 'bert/model.safetensors')).values()];
    const head = { dtype: 'F32', data: () => new Uint8Array(new Float32Array(3 * 32).fill(0.1).buffer) };
    writeTensors(join(folder, 'model.safetensors'), [
      ...tensors,
      { ...head, name: 'classifier.weight', dims: [3, 32] },
      { ...head, name: 'classifier.bias', dims: [3], data: () => new Uint8Array(12) },
    ]);
    const own = {
      ...(JSON.parse(readFileSync(join(FIXTURES, 'bert/config.json'), 'utf8')) as object),
      architectures: ['BertForSequenceClassification'],
      id2label: { 0: 'pets', 1: 'neither', 2: 'other' },
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(own));
    const { written, config, task } = await exported(
      'own-head',
      'task={"type":"text-classification","head":"none"}',
    );
    expect(written).toEqual({});
    expect(config).toEqual(own);
    expect(task.data.labels).toEqual(['pets', 'neither', 'other']);
    expect(task.graph.output).toBe('logits');
  });

  it.each([
    ['BertForSequenceClassification', 'bert', 'classifier', ['classifier']],
    [
      'RobertaForSequenceClassification',
      'roberta',
      'classifier.out_proj',
      ['classifier.dense', 'classifier.out_proj'],
    ],
  ])('trains the last layer of %s further, and puts it back', async (name, type, module, layers) => {
    const tensors = [...readHeader(join(FIXTURES, 'bert/model.safetensors')).values()];
    const sizes = (layer: string) => (layer === module ? 3 : 32);
    const values = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i) / 4);
    writeTensors(join(folder, 'model.safetensors'), [
      ...tensors.map((t) => ({ ...t, name: t.name.replace(/^bert\./, `${type}.`) })),
      ...layers.flatMap((layer) =>
        [[sizes(layer), 32], [sizes(layer)]].map((dims, k) => ({
          name: `${layer}.${k === 0 ? 'weight' : 'bias'}`,
          dtype: 'F32',
          dims,
          data: () => new Uint8Array(values(dims.reduce((a, b) => a * b)).buffer),
        })),
      ),
    ]);
    const own = {
      ...(JSON.parse(readFileSync(join(FIXTURES, 'bert/config.json'), 'utf8')) as object),
      model_type: type,
      architectures: [name],
      id2label: { 0: 'pets', 1: 'neither', 2: 'other' },
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(own));
    const settings = 'task={"type":"text-classification","headWeights":"model"}';
    const { out, written, task, config } = await exported(`further-${type}`, settings);
    expect([...initialParameters(task).get('head.weight')!]).toEqual([...values(3 * 32)]);
    expect(task.data.labels).toEqual(['pets', 'neither', 'other']);
    expect(written).toEqual({ head: name });
    expect(config).toMatchObject({ architectures: [name], id2label: own.id2label });
    const names = (path: string) => [...readWeights(path).tensors.keys()].sort();
    expect(names(out)).toEqual(names(folder));

    // Until something is trained, the numbers equal those with its own head.
    const frozen = await prepareTask(
      loadExperiment(lab.experiment, ['model.path=bert', settings, 'task.headWeights=new', 'task.head=none']),
      lab.path('frozen'),
    );
    // One after the other: both write their graph into the folder.
    const of = (t: Task) => measureTask(t, initialParameters(t), lab.fresh('measured'));
    const first = await of(task);
    expect(largestDifference(first, await of(frozen))).toBeLessThan(1e-5);
  });

  it('says so if the labels are others', async () => {
    const settings = ['model.path=bert', 'task={"type":"text-classification","headWeights":"model"}'];
    lab.write('others.jsonl', ['a', 'b'].map((label) => JSON.stringify({ text: 'cat', label })).join('\n'));
    const data = 'data={"train":"others.jsonl","validation":"others.jsonl"}';
    const task = await prepareTask(loadExperiment(lab.experiment, [...settings, data]), lab.path('others'));
    expect(() => initialParameters(task)).toThrow(/has 3 labels, but the data has 2: a, b/);
    const none = loadExperiment(lab.experiment, ['task.headWeights=model']);
    expect(() => adaptModel(none)).toThrow(/has no classification head/);
  });
});
