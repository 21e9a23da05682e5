import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type DenseArray, readReference } from '../../src/cli/commands/reference/case';
import { runModelCase } from '../../src/cli/commands/reference/model-case';
import { failures } from '../../src/cli/commands/reference/reference';
import { scratchFolder } from '../scratch';
import { fixture } from './files';

const folder = scratchFolder('peft-spoiled');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Json = Record<string, unknown>;
const LAYER = 'roberta.encoder.layer.0.attention.self.value';
const A = `base_model.model.${LAYER}.lora_A.weight`;

/** The fields of a copy of a case that fail after a change of the file, or of the adapter's configuration. */
async function failingFields(name: string, spoil: (c: Json, config: Json) => void): Promise<string[]> {
  const at = join(folder, name);
  cpSync(fixture(`../peft-more/${name}`), at, { recursive: true });
  const config = join(at, 'adapter', 'adapter_config.json');
  const own = [fixture(`../peft-more/${name}.json`), config].map(
    (path) => JSON.parse(readFileSync(path, 'utf8')) as Json,
  );
  spoil(own[0], own[1]);
  writeFileSync(`${at}.json`, JSON.stringify(own[0]));
  writeFileSync(config, JSON.stringify(own[1]));
  const file = readReference(`${at}.json`);
  if (file.kind !== 'model') throw new Error(`${name} has no model.`);
  const report = await runModelCase(file.modelPath, file.case);
  return failures(report).map((f) => f.field);
}

const nudge = (value: unknown): void => {
  const { data } = value as DenseArray;
  data[0] += 1e-2 * Math.max(...data.map(Math.abs));
};
const within = (c: Json, key: string): Json => c[key] as Json;

it.each<[string, string[], (c: Json, config: Json) => void]>([
  ['the merged logits', ['mergedLogits'], (c) => nudge(c.mergedLogits)],
  ['the logits after training', ['afterTraining.logits'], (c) => nudge(within(c, 'afterTraining').logits)],
  [
    'a gradient',
    ['gradients.encoder.layer.0.attention.self.value.A'],
    (c) => nudge(within(c, 'gradients')[A]),
  ],
  [
    'a merged weight',
    ['mergedDelta.encoder.layer.0.attention.self.value'],
    (c) => nudge(within(c, 'mergedDelta')[LAYER]),
  ],
])('%s out of tolerance fails, and nothing else does', async (_, fields, spoil) => {
  expect(await failingFields('lora-patterns', spoil)).toEqual(fields);
});

it.each<[string, string, (c: Json, config: Json) => void]>([
  [
    'another scale of a module',
    'mergedLogits',
    (_, config) => Object.assign(config, { alpha_pattern: { value: 4 } }),
  ],
  [
    'a pattern that fits no rank',
    'targets',
    (_, config) => Object.assign(config, { rank_pattern: { query: 2 } }),
  ],
  ['other targets', 'targets', (c) => Object.assign(c, { targets: ['query'] })],
  ['other modules', 'modules', (c) => void (c.modules as string[]).pop()],
  ['a trained tensor without values', 'trainable', (c) => Reflect.deleteProperty(within(c, 'trainable'), A)],
])('%s fails', async (_, field, spoil) => {
  const fields = await failingFields('lora-patterns', spoil);
  expect(fields.some((f) => f.startsWith(field))).toBe(true);
});
