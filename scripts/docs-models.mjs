import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main, say } from './lib/console.mjs';
import { modelsTable, withTable } from './lib/models-table.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { importSource } from './lib/source.mjs';

const DOCS = join(ROOT, 'docs/models.md');
const FIXTURES = ['hf', 'diffusers'].map((name) => join(ROOT, 'test/fixtures', name));

/** Writes the table of model types into docs/models.md, from the registry of families and the reference cases. */
await main(async () => {
  await ensureDependencies();
  const { FAMILIES } = await importSource('src/architectures/families/family-registry.ts');
  const { MODEL_NAMES } = await importSource('src/architectures/families/model-names.ts');
  writeFileSync(DOCS, withTable(readFileSync(DOCS, 'utf8'), modelsTable(FAMILIES, MODEL_NAMES, FIXTURES)));
  say('docs/models.md is written.');
});
