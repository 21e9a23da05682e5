import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readGguf } from '../../src/exports/gguf/gguf-reader';
import type { ExportRecord } from '../../src/protocol/export';
import { CONFIGS, writeModel } from '../hub-models';
import { byteLevelTokenizer, tokenCount } from '../tokenizers/small';
import { CLI, Lab } from './lab';

const lab = new Lab({
  model: { path: 'llama', maxLength: 24 },
  task: { type: 'causal-language-modeling', head: 'none' },
  adapter: { method: 'aurora', targetModules: ['q_proj', 'v_proj'] },
  training: { epochs: 1, learningRate: 0.03, metric: 'loss' },
});
afterAll(() => lab.remove());
const tokenizer = byteLevelTokenizer('llama-bpe', true);
const config = { ...CONFIGS.llama, vocab_size: tokenCount(tokenizer) };
const chat_template =
  "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role + '\n' + m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const names = { bos_token: '<|begin|>', eos_token: '<|end|>', chat_template };
writeModel(lab.path('llama'), config as never, tokenizer, names);
lab.write('llama/generation_config.json', '{"do_sample":true,"temperature":0.6,"repetition_penalty":1.1}');
const trained = lab.run('train', lab.experiment, '--device', 'cpu');
const [run] = lab.runs(lab.path('.aurora/runs/tiny'));

/** Exports, and reads the folder's files. */
function exported(form: string, ...more: string[]) {
  const out = lab.fresh(form);
  const {
    code,
    err,
    out: said,
  } = lab.run('export', run, '--as', form, '--accept-drop', '--out', out, ...more);
  expect([code, err]).toEqual([0, expect.anything()]);
  const record = JSON.parse(readFileSync(join(out, 'export.json'), 'utf8')) as ExportRecord;
  return { out, record, said, files: readdirSync(out).sort() };
}

it('an AuroRA adapter is fitted and exported as a LoRA for llama.cpp, which computes the fit', () => {
  // A random model may stay worse than a constant answer, which ends with 27.
  expect([0, 27]).toContain(trained.code);
  const { out, record, files } = exported('gguf-lora');
  expect(files).toEqual(['Modelfile', 'README.md', 'adapter.gguf', 'export.json']);
  expect(record).toMatchObject({ merge: 'fitted', fit: { layers: 4, withBias: 0 } });
  expect(record.largestDifference).toBeLessThan(1e-4);
  expect(record.metrics.exported.loss).toBeCloseTo(record.metrics.fitted!.loss, 5);
  const tensors = [...readGguf(join(out, 'adapter.gguf')).tensors.keys()];
  expect(tensors.slice(0, 2)).toEqual(['blk.0.attn_q.weight.lora_a', 'blk.0.attn_q.weight.lora_b']);
  expect(readFileSync(join(out, 'Modelfile'), 'utf8')).toContain(
    'FROM ./base.gguf\nADAPTER ./adapter.gguf\n',
  );
});

it('and merged into a model, in three precisions, with the settings of generation in the Modelfile', () => {
  const whole = exported('gguf', '--precision', 'float32');
  // These layers have biases, for the constants of the fit.
  expect(whole.record).toMatchObject({ merge: 'fitted', fit: { layers: 4, withBias: 4 } });
  expect(whole.record.rounding).toBeUndefined();
  expect(whole.record.largestDifference).toBeLessThan(1e-4);
  const [half, eight] = [exported('gguf'), exported('gguf', '--precision', 'q8_0')];
  expect(half.record.rounding?.type).toBe('F16');
  expect(eight.record.rounding).toMatchObject({ type: 'Q8_0' });
  expect(eight.record.rounding!.largest).toBeGreaterThan(half.record.rounding!.largest);
  expect(eight.said).toContain('in 8 bits (Q8_0) changed them by at most');
  const typesOf = ({ out }: typeof half) =>
    ['token_embd.weight', 'blk.0.attn_norm.weight', 'rope_freqs.weight'].map(
      (name) => readGguf(join(out, 'model.gguf')).tensors.get(name)!.type,
    );
  expect([whole, half, eight].map(typesOf)).toEqual([
    ['F32', 'F32', 'F32'],
    ['F16', 'F32', 'F32'],
    ['Q8_0', 'F32', 'F32'],
  ]);
  const lines = readFileSync(join(half.out, 'Modelfile'), 'utf8').split('\n');
  for (const line of [
    'FROM ./model.gguf',
    'PARAMETER stop "<|im_end|>"',
    'PARAMETER temperature 0.6',
    'PARAMETER repeat_penalty 1.1',
  ])
    expect(lines).toContain(line);
});

it('with the paper’s merge they need no training data', () => {
  expect(exported('gguf-lora', '--merge', 'paper').record).toMatchObject({ merge: 'paper' });
});

it('an export that is killed leaves nothing with its name, and the next one removes what is left', () => {
  const out = lab.fresh('killed');
  const args = ['export', run, '--as', 'gguf', '--accept-drop', '--out', out];
  const env = { ...process.env, AURORA_TEST_KILL: JSON.stringify({ pattern: 'aurora-tmp/model\\.gguf$' }) };
  const killed = spawnSync(process.execPath, ['--require', resolve('test/cli/kill-at.cjs'), CLI, ...args], {
    env,
  });
  expect(killed.signal).toBe('SIGKILL');
  expect(existsSync(out)).toBe(false);
  expect(readdirSync(lab.folder).filter((name) => name.startsWith('.killed'))).toHaveLength(1);
  expect(lab.run(...args).code).toBe(0);
  expect(readdirSync(lab.folder).filter((name) => name.startsWith('.killed'))).toEqual([]);
});

it.each([
  [['--as', 'safetensors', '--precision', 'q8_0'], '--precision is for --as gguf'],
  [['--as', 'gguf', '--precision', '4'], '--precision takes float16, q8_0, float32'],
])('export %j is refused', (options, message) => {
  const { code, err } = lab.run('export', run, ...options);
  expect([code, err]).toEqual([2, expect.stringContaining(message)]);
});

it('a tokenizer that llama.cpp does not have is refused before anything is written', () => {
  const path = lab.path('llama/tokenizer.json');
  const before = readFileSync(path, 'utf8');
  const out = lab.fresh('refused');
  try {
    lab.write('llama/tokenizer.json', JSON.stringify({ ...tokenizer, normalizer: { type: 'Lowercase' } }));
    const { code, err } = lab.run('export', run, '--as', 'gguf', '--merge', 'paper', '--out', out);
    expect([code, err]).toEqual([15, expect.stringContaining('its normalizer is {"type":"Lowercase"}')]);
    expect(existsSync(out)).toBe(false);
  } finally {
    lab.write('llama/tokenizer.json', before);
  }
});
