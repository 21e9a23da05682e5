import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Lab } from '../../../cli/lab';

const BASE = resolve('demo/models/debian-llama');

/** The demo's language model with a key/value cache, in a folder with questions for it. */
export function languageLab(settings: Record<string, unknown> = {}): Lab {
  const lab = new Lab({
    task: { type: 'multiple-choice', head: 'none', scoring: 'generation' },
    model: { maxLength: 96 },
    training: { batchSize: 48 },
    adapter: { method: 'lora', targetModules: ['q_proj', 'down_proj', 'lm_head'] },
    ...settings,
  });
  lab.write('model.onnx', readFileSync(resolve('test/fixtures/past/model.onnx')));
  lab.write('base.onnx', readFileSync(join(BASE, 'model.onnx')));
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json'])
    lab.write(name, readFileSync(join(BASE, name)));
  const rows = ['a game', 'a library', 'a puzzle for children', 'the old tool'].map((question, i) =>
    JSON.stringify({ question, choices: ['game', 'library'], answer: i % 2 }),
  );
  for (const name of ['train.jsonl', 'validation.jsonl']) lab.write(name, `${rows.join('\n')}\n`);
  return lab;
}
