import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  defaultAdapter,
  draftName,
  draftText,
  freeName,
  likelyOutput,
  likelyTargets,
  nameProblem,
  type Draft,
} from '../../../../src/extension/experiment/draft';
import { loadModel } from '../../../../src/graph/load';
import { summarize, type ModelSummary } from '../../../../src/graph/summary';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { FIXTURE, makeFolder } from './lab';

const fixture = (name: string): ModelSummary =>
  summarize(loadModel(FIXTURE.replace('bert.onnx', `${name}.onnx`)));

function draft(folder: string, more: Partial<Draft> = {}): Draft {
  return {
    model: join(folder, 'models', 'm.onnx'),
    train: join(folder, 'data', 'train "1".csv'),
    validation: 0.2,
    textColumn: 'a "quoted" name',
    labelColumn: 'label',
    head: 'linear',
    adapter: { ...defaultAdapter('aurora'), targetModules: ['query', 'value'] } as Draft['adapter'],
    ...more,
  };
}

describe('a new experiment', () => {
  it.each(['aurora', 'lora', 'none'] as const)('with %s is what the trainer reads', (method) => {
    const folder = makeFolder({});
    const file = join(folder, 'sub', 'x.aurora.json');
    const adapter = defaultAdapter(method);
    const made = draft(folder, {
      adapter,
      output: 'hidden',
      tokenizer: join(folder, 'tok', 'tokenizer.json'),
      validation: join(folder, 'data', 'v.csv'),
    });
    const text = draftText(file, made);
    expect(text).toContain('"path": "../models/m.onnx"');
    const plain = join(folder, 'x.aurora.json');
    writeFileSync(plain, draftText(plain, made));
    const read = loadExperiment(plain);
    expect(read).toMatchObject({
      model: { path: made.model, tokenizer: made.tokenizer, output: 'hidden' },
      data: { train: made.train, validation: made.validation, textColumn: 'a "quoted" name' },
      task: { head: 'linear' },
    });
    expect(read.adapter).toEqual(adapter);
  });

  it('with a share held out and the tokenizer beside the model names neither file', () => {
    const folder = makeFolder({});
    const file = join(folder, 'x.aurora.json');
    writeFileSync(file, draftText(file, draft(folder)));
    expect(readFileSync(file, 'utf8')).not.toMatch(/"tokenizer"|"validation"|"output"/);
    expect(loadExperiment(file).data).toMatchObject({ validationFraction: 0.2 });
  });

  it('has a name of its own', async () => {
    const folder = makeFolder({ 'a.aurora.json': '', 'a-2.aurora.json': '' });
    expect(await freeName(folder, 'a')).toBe('a-3.aurora.json');
    expect(await freeName(folder, 'b')).toBe('b.aurora.json');
    const adapter = defaultAdapter('lora');
    expect(draftName({ train: '/x/sst2-train.jsonl.gz', adapter })).toBe('sst2-lora');
    expect(draftName({ train: '/x/my data/train.csv', adapter: { method: 'none' } })).toBe('my-data-head');
    expect(nameProblem('a.aurora.json')).toBeUndefined();
    expect(['a.json', '.aurora.json', 'a/b.aurora.json'].map(nameProblem)).toEqual([
      'ending',
      'empty',
      'slash',
    ]);
  });
});

describe('the likely choice', () => {
  it.each([
    ['bert', ['query', 'value']],
    ['llama', ['q_proj', 'v_proj']],
    ['more/gpt2', ['c_attn']],
    ['more/neox', ['query_key_value']],
  ])('of targets in %s', (name, targets) => {
    expect(likelyTargets(fixture(name))).toEqual(targets);
  });

  it('of an output is one of hidden states', () => {
    const base = fixture('bert');
    const output = (name: string, axes: number) => ({
      name,
      type: 'float',
      shape: new Array<number>(axes).fill(1),
    });
    const of = (...outputs: ModelSummary['outputs']) => likelyOutput({ ...base, outputs });
    expect(of(output('pooled', 2), output('last_hidden_state', 3))).toBe('last_hidden_state');
    expect(of(output('pooled', 2), output('x', 3))).toBe('x');
    expect(of(output('pooled', 2), output('other', 2))).toBe('pooled');
  });

  it('of a method is the schema’s', () => {
    expect(defaultAdapter('aurora')).toMatchObject({ method: 'aurora', rank: 2, alpha: 4, gridSize: 5 });
    expect(defaultAdapter('lora')).toMatchObject({ method: 'lora', rank: 8, alpha: 16 });
    expect(defaultAdapter('none')).toEqual({ method: 'none' });
  });
});
