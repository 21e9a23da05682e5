import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FAMILIES } from '../../../src/architectures/families/family-registry';

it('docs/models.md lists each model_type, and each class of diffusers', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/models.md'), 'utf8');
  const [, table] = text.split('| `model_type` |');
  const rows = table
    .split('\n\n')[0]
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) => [...row.split('|')[1].matchAll(/`([\w-]+)`/g)].map(([, name]) => name));
  expect(named).toEqual([...FAMILIES.keys()]);
});
