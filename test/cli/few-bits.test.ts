import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Inspection } from '../../src/adapters/inspection';
import { readSafetensors } from '../../src/graph/file/safetensors';
import type { ExportRecord } from '../../src/protocol/export';
import { writeFolders } from '../fixtures/few-bits/write.mjs';
import { byteLevelTokenizer, tokenCount } from '../tokenizers/small';
import { Lab } from './lab';

const lab = new Lab({
  model: { path: 'model', maxLength: 24 },
  task: { type: 'causal-language-modeling', head: 'none' },
  adapter: { method: 'lora', rank: 2, alpha: 4, targetModules: ['q_proj', 'v_proj'] },
  training: { epochs: 1, learningRate: 0.03, metric: 'loss' },
});
const before = process.env.XDG_CACHE_HOME;
process.env.XDG_CACHE_HOME = lab.path('user-cache');
afterAll(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  lab.remove();
});
const tokenizer = byteLevelTokenizer('llama-bpe', true);

/** Puts a folder in few bits, or its twin in floats, in the place of the experiment's model. */
function place(name: string, folder: string): string {
  const to = lab.path(name);
  mkdirSync(to, { recursive: true });
  cpSync(folder, to, { recursive: true });
  lab.write(`${name}/tokenizer.json`, JSON.stringify(tokenizer));
  return to;
}

function train(name: string): string {
  const out = lab.fresh(name);
  const { code, err } = lab.run(
    'train',
    lab.experiment,
    '--set',
    `model.path=${name}`,
    '--device',
    'cpu',
    '--out',
    out,
  );
  // A random model may stay worse than a constant answer, which ends with 27.
  expect([
    [0, err],
    [27, err],
  ]).toContainEqual([code, err]);
  return lab.runs(out)[0]!;
}

const adapter = (run: string) => readSafetensors(join(run, 'adapter/last/adapter_model.safetensors')).tensors;

function exported(run: string, form: string, ...more: string[]) {
  const folder = lab.fresh(form);
  return { folder, ...lab.run('export', run, '--as', form, '--accept-drop', '--out', folder, ...more) };
}

describe.each([
  ['gptq-4-order', 'MatMulNBits', 'GPTQ'],
  ['nf4', 'MatMulBnb4', 'NF4'],
  ['int8', 'Gemm', 'INT8'],
])('a folder in few bits: %s', (layout, operator, type) => {
  const folders = writeFolders(lab.path(`written-${layout}`), layout, {}, tokenCount(tokenizer));
  const model = place(layout, folders.quantized);
  place(`${layout}-floats`, folders.floats);
  let run: string;

  it('is inspected with the paths of its modules, and its layout', () => {
    const cached = () => {
      const folder = lab.path('user-cache/aurora-lab/weights');
      return existsSync(folder) ? readdirSync(folder) : [];
    };
    const there = cached();
    const { code, out } = lab.run('inspect', model, '--json');
    expect(code).toBe(0);
    const { layers, weights, blocked } = JSON.parse(out) as Inspection;
    const query = layers.find((l) => l.path === 'layers.1.self_attn.q_proj');
    expect(query).toMatchObject({ operator, mergeable: true });
    expect(blocked).toEqual([]);
    expect(weights.map((w) => w.type)).toContain(type);
    // Nothing is converted for it.
    expect(cached()).toEqual(there);
  });

  it('trains as its dequantized weights do', () => {
    run = train(layout);
    const [own, wanted] = [adapter(run), adapter(train(`${layout}-floats`))];
    expect([...own.keys()]).toEqual([...wanted.keys()]);
    let largest = 0;
    for (const [name, { data }] of wanted)
      data.forEach((v, i) => (largest = Math.max(largest, Math.abs(v - own.get(name)!.data[i]!))));
    expect(largest).toBeLessThan(0.002);
  });

  it.each(['adapter', 'gguf-lora', 'onnx-merged', 'onnx-dynamic'])(
    'is exported as %s, which computes the same',
    (form) => {
      const { code, err, folder } = exported(run, form);
      expect([code, err]).toEqual([0, expect.anything()]);
      const record = JSON.parse(readFileSync(join(folder, 'export.json'), 'utf8')) as ExportRecord;
      expect(record.largestDifference).toBeLessThan(1e-3);
      const file = readdirSync(folder).find((name) => name.endsWith('.onnx'));
      if (file !== undefined) expect(lab.run('inspect', join(folder, file)).code).toBe(0);
    },
  );

  it('is merged in its own form with --requantize', () => {
    const { code, err, folder } = exported(run, 'onnx-merged', '--requantize');
    expect([code, err]).toEqual([0, expect.anything()]);
    const { requantized = [] } = JSON.parse(
      readFileSync(join(folder, 'export.json'), 'utf8'),
    ) as ExportRecord;
    expect(requantized).toHaveLength(4);
    for (const { error } of requantized) expect(error).toBeLessThan(0.2);
  });

  it.each(['safetensors', 'gguf'])('is refused as %s before anything is written', (form) => {
    const { code, err, folder } = exported(run, form);
    expect(code).toBe(2);
    expect(err).toContain('in few bits (quantization_config)');
    expect(existsSync(folder) && readdirSync(folder).length > 0).toBe(false);
  });
});
