import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAMILIES } from '../../../src/architectures/families/family-registry';
import { MODEL_NAMES } from '../../../src/architectures/families/model-names';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { modelsTable, withTable } from '../../../scripts/lib/models-table.mjs';

const ROOT = join(import.meta.dirname, '../../..');
const HUB = join(ROOT, 'test/fixtures/hf');
const FOLDERS = readdirSync(HUB).filter((name) => existsSync(join(HUB, name, 'config.json')));

describe('docs/models.md', () => {
  const text = readFileSync(join(ROOT, 'docs/models.md'), 'utf8');
  const table = modelsTable(FAMILIES, MODEL_NAMES, [HUB, join(ROOT, 'test/fixtures/diffusers')]);
  const rows = table
    .split('\n')
    .slice(2)
    .map((row) => row.split('|').map((cell) => cell.trim()));

  it('has the table that npm run docs:models writes', () => expect(text).toBe(withTable(text, table)));

  it('lists each model_type and each class of diffusers, in the order of the registry', () =>
    expect(rows.map(([, type]) => type)).toEqual([...FAMILIES.keys()].map((type) => `\`${type}\``)));

  it.each(FOLDERS)('lists the outputs of a folder: %s', (name) => {
    const { model_type } = JSON.parse(readFileSync(join(HUB, name, 'config.json'), 'utf8')) as {
      model_type: string;
    };
    const listed = rows.find(([, type]) => type === `\`${model_type}\``)?.[3];
    const outputs = loadModelFrom(modelSource(join(HUB, name))).graph.outputs.map((output) => output.name);
    for (const [, output] of listed!.matchAll(/`(\w+)`/g)) expect(outputs).toContain(output);
  });

  it('has the section that messages refer to', () => expect(text).toMatch(/^### Models of other types$/m));
});
