import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.mjs';
import { editorSchema } from './editor-schema.mjs';
import { SCHEMA_FILES, schemaValidatorCode } from './schema-validator-code.mjs';

const SCHEMA = 'src/experiment/experiment.schema.json';

/** Files copied next to the programs, by path in the repository. Under Node, tfjs' WebAssembly has one thread. */
const COPIED = {
  [SCHEMA]: 'experiment.schema.json',
  'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm': 'wasm/tfjs-backend-wasm.wasm',
  'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm':
    'wasm/tfjs-backend-wasm-simd.wasm',
};

/**
 * Loaded only when they are used: TensorFlow.js is two thirds of all code, and tfjs-core must exist only once; the hub's
 * packages are a third of the rest, and an agent's protocol is for one command.
 */
const APART = { library: './tfjs.cjs', packages: './hub-packages.cjs', sdk: './mcp-sdk.cjs' };

export const apart = {
  name: 'apart',
  setup: (build) =>
    build.onResolve({ filter: /^\.\.?\/(library|packages|sdk)$/ }, ({ kind, path }) =>
      kind === 'dynamic-import'
        ? { path: APART[path.slice(path.lastIndexOf('/') + 1)], external: true }
        : undefined,
    ),
};

/** Loaded at the first validation, which is synchronous; the programs share one file. */
export const validatorBeside = {
  name: 'validator-beside',
  setup(build) {
    build.onResolve({ filter: /\/schema-validator$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'schema-validator', namespace: 'beside' } : undefined,
    );
    build.onLoad({ filter: /./, namespace: 'beside' }, () => ({
      contents: "export const schemaValidator = () => require('./schema-validator.cjs');",
    }));
    build.onResolve({ filter: /^\.\/schema-validator\.cjs$/ }, ({ path }) => ({ path, external: true }));
    build.onLoad({ filter: /schema-validator\.ts$/ }, async () => ({
      contents: await schemaValidatorCode(),
      resolveDir: ROOT,
      watchFiles: SCHEMA_FILES,
    }));
  },
};

/** Editors need the schema beside the programs anyway, so no program has to include it. */
export const schemaBeside = {
  name: 'schema-beside',
  setup: (build) =>
    build.onLoad({ filter: /experiment\.schema\.json$/ }, () => ({
      contents: `module.exports = JSON.parse(require('node:fs').readFileSync(
        require('node:path').join(__dirname, 'experiment.schema.json'), 'utf8'));`,
      loader: 'js',
    })),
};

export const copied = (out) => ({
  name: 'copied',
  setup: (build) =>
    build.onEnd(() => {
      mkdirSync(join(out, 'wasm'), { recursive: true });
      for (const [from, to] of Object.entries(COPIED)) copyFileSync(join(ROOT, from), join(out, to));
      const schema = JSON.parse(readFileSync(join(ROOT, SCHEMA), 'utf8'));
      writeFileSync(join(out, 'experiment.editor-schema.json'), JSON.stringify(editorSchema(schema)));
    }),
});
