import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../src/data/text/tokenizer';
import { readInputs } from '../../src/runs/inputs';
import { readRun } from '../read-run';
import { Lab } from './lab';

const lab = new Lab({
  model: { path: 'bert' },
  training: { maxSteps: 4, evaluateEvery: 2, checkpointEvery: 2 },
});
afterAll(() => lab.remove());
const folder = lab.path('bert');
const WORDS = 'Unaffable CATS play!';

/** The tokenizer of tokenizer.json, in the files of BertTokenizer. */
beforeAll(() => {
  cpSync(resolve('test/fixtures/hf/bert'), folder, { recursive: true });
  const { model } = JSON.parse(readFileSync(lab.path('tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number> };
  };
  const words = Object.entries(model.vocab).sort(([, a], [, b]) => a - b);
  expect(words.map(([, id]) => id)).toEqual(words.map((_, id) => id));
  writeFileSync(`${folder}/vocab.txt`, `${words.map(([word]) => word).join('\n')}\n`);
  writeFileSync(
    `${folder}/special_tokens_map.json`,
    JSON.stringify({ cls_token: '[CLS]', pad_token: '[PAD]' }),
  );
  mkdirSync(lab.path('newer'));
  for (const name of readdirSync(resolve('test/fixtures/hf/bert')))
    cpSync(resolve('test/fixtures/hf/bert', name), lab.path(`newer/${name}`));
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    cpSync(lab.path(name), lab.path(`newer/${name}`));
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) rmSync(lab.path(name));
});

const losses = (out: string) =>
  readRun(lab.runs(out)[0]).events.flatMap((e) => (e.kind === 'evaluation' ? [e.metrics.loss] : []));

describe('a folder with vocab.txt in place of tokenizer.json', () => {
  it('trains as with the tokenizer.json of the same words, and records its files', () => {
    const [older, newer] = [lab.fresh('older-runs'), lab.fresh('newer-runs')];
    expect(lab.run('train', lab.experiment, '--out', older)).toMatchObject({ code: 0 });
    const read = readInputs(lab.runs(older)[0])!.files.filter(
      ({ role, path }) => role === 'tokenizer' && existsSync(path),
    );
    expect(read.map(({ path }) => path.slice(folder.length + 1)).sort()).toEqual([
      'special_tokens_map.json',
      'vocab.txt',
    ]);
    expect(lab.run('train', lab.experiment, '--set', 'model.path=newer', '--out', newer)).toMatchObject({
      code: 0,
    });
    expect(losses(older).length).toBeGreaterThan(1);
    expect(losses(older)).toEqual(losses(newer));
  });

  it('does not resume with another vocabulary', () => {
    const out = lab.fresh('paused');
    expect(lab.run('train', lab.experiment, '--out', out, '--pause-at', 'step:2').code).toBe(130);
    const words = readFileSync(`${folder}/vocab.txt`, 'utf8');
    writeFileSync(`${folder}/vocab.txt`, words.replace('cat', 'dog'));
    expect(lab.run('train', '--resume', lab.runs(out)[0])).toMatchObject({
      code: 25,
      err: expect.stringContaining('vocab.txt') as string,
    });
    writeFileSync(`${folder}/vocab.txt`, words);
    expect(lab.run('train', '--resume', lab.runs(out)[0]).code).toBe(0);
  });

  it.each(['onnx-merged', 'onnx-dynamic', 'onnx-adapter-inputs'])(
    'is exported as %s with a tokenizer.json',
    (form) => {
      const exported = lab.fresh(form);
      const [run] = lab.runs(lab.path('older-runs'));
      expect(lab.run('export', run, '--as', form, '--accept-drop', '--out', exported).code).toBe(0);
      expect(existsSync(`${exported}/vocab.txt`)).toBe(false);
      const [own, its] = [`${folder}/vocab.txt`, `${exported}/tokenizer.json`].map((path) =>
        loadTokenizer(path),
      );
      expect(its.encode(WORDS, 99)).toEqual(own.encode(WORDS, 99));
      expect([its.padId, its.maskId]).toEqual([own.padId, own.maskId]);
    },
  );

  it('is exported as a folder with its own files', () => {
    const exported = lab.fresh('folder');
    const [run] = lab.runs(lab.path('older-runs'));
    expect(lab.run('export', run, '--as', 'safetensors', '--accept-drop', '--out', exported).code).toBe(0);
    expect(readdirSync(exported)).toEqual(expect.arrayContaining(['vocab.txt', 'special_tokens_map.json']));
    expect(existsSync(`${exported}/tokenizer.json`)).toBe(false);
    expect(loadTokenizer(`${exported}/vocab.txt`).encode(WORDS, 99)).toEqual(
      loadTokenizer(`${folder}/vocab.txt`).encode(WORDS, 99),
    );
  });

  it('answers in the playground, and takes its files along when it is quantized', () => {
    const [run] = lab.runs(lab.path('older-runs'));
    expect(lab.type('the cats play\n', 'play', run)).toMatchObject({ code: 0 });
    const exported = lab.path('onnx-merged/model.onnx');
    expect(lab.type('the cats play\n', 'play', '--model', exported)).toMatchObject({ code: 0 });
    mkdirSync(lab.path('small'));
    expect(lab.run('quantize', folder, '--bits', '8', '--out', lab.path('small/model.onnx'))).toMatchObject({
      code: 0,
    });
    expect(readdirSync(lab.path('small'))).toEqual(expect.arrayContaining(['vocab.txt', 'config.json']));
  });
});
