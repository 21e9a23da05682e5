import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.mjs';

/** The files from which the validator is made. */
export const SCHEMA_FILES = ['experiment/experiment.schema.json', 'runs/experiment/ajv-options.json'].map(
  (path) => join(ROOT, 'src', path),
);

/**
 * The schema's validator as a CommonJS module. Compiling the schema takes 0.4 s, which every command and the
 * editor's first check would spend again.
 */
export async function schemaValidatorCode() {
  // Imported here: scripts are loaded before their packages are installed.
  const { Ajv } = await import('ajv');
  const { default: standaloneCode } = await import('ajv/dist/standalone/index.js');
  const [schema, options] = SCHEMA_FILES.map((path) => JSON.parse(readFileSync(path, 'utf8')));
  const ajv = new Ajv({ ...options, code: { source: true } });
  return standaloneCode.default(ajv, ajv.compile(schema));
}
