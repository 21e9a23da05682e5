import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.mjs';
import { SCHEMA_FILES, schemaValidatorCode } from './schema-validator-code.mjs';

/** Code that runs under Node: the extension host's part, the programs, the demo model's converter. */
export const PROGRAMS = {
  extension: 'src/extension/main.ts',
  cli: 'src/cli/main.ts',
  tfjs: 'src/engine/tfjs/library.ts',
  'pulse-worker': 'src/trainer/process/pulse-worker.ts',
  'data-worker': 'src/extension/data-worker/worker.ts',
  'hash-worker': 'src/trainer/inputs/hash-worker.ts',
  'image-worker': 'src/data/images/image-worker.ts',
  'use-lite': 'src/demo/use-lite.ts',
  study: 'src/study/computing.ts',
  'schema-validator': 'src/runs/experiment/schema-validator.ts',
};
/** Files copied next to them, by path in the repository. Under Node, tfjs' WebAssembly has one thread. */
const COPIED = {
  'src/experiment/experiment.schema.json': 'experiment.schema.json',
  'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm': 'wasm/tfjs-backend-wasm.wasm',
  'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm':
    'wasm/tfjs-backend-wasm-simd.wasm',
};
/** The folders of webview that are a page; the others hold what pages share. */
export const PAGES = readdirSync(join(ROOT, 'webview')).filter((name) =>
  existsSync(join(ROOT, 'webview', name, 'main.ts')),
);

/**
 * esbuild's settings for the programs and for the dashboards' pages, to the folder `out`. A package is minified and has
 * no source maps; pages are always minified, since minified size is what is measured.
 * @param {string} out absolute
 * @param {{ packaged?: boolean, programs?: Record<string, string> }} [options]
 */
export function bundles(out, { packaged = false, programs = PROGRAMS } = {}) {
  const common = {
    absWorkingDir: ROOT,
    bundle: true,
    sourcemap: !packaged,
    metafile: packaged,
    logLevel: 'warning',
    // The package collects the notices in one file instead.
    legalComments: 'none',
  };
  const host = {
    ...common,
    entryPoints: programs,
    outdir: out,
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // jsonc-parser's `main` is UMD, and bundlers cannot follow the requires inside it.
    mainFields: ['module', 'main'],
    external: ['onnxruntime-node', 'sharp', 'vscode', 'webgpu'],
    loader: { '.py': 'text' },
    minify: packaged,
    plugins: [apart, validatorBeside, schemaBeside, copied(out)],
  };
  const pages = {
    ...common,
    entryPoints: Object.fromEntries(PAGES.map((page) => [page, `webview/${page}/main.ts`])),
    outdir: join(out, 'webview'),
    minify: true,
    platform: 'browser',
    target: 'chrome128',
    format: 'iife',
  };
  return [host, pages];
}

/**
 * Loaded on demand with a dynamic import. TensorFlow.js is two thirds of all code, and tfjs-core must exist only once;
 * a study's statistics and figures are a tenth of the extension host's code.
 */
const APART = [
  [/^\.\.?\/library$/, './tfjs.cjs'],
  [/\/study\/computing$/, './study.cjs'],
];

const apart = {
  name: 'apart',
  setup(build) {
    for (const [filter, path] of APART)
      build.onResolve({ filter }, ({ kind }) =>
        kind === 'dynamic-import' ? { path, external: true } : undefined,
      );
  },
};

/** Loaded at the first validation, which is synchronous; the programs share one file. */
const validatorBeside = {
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
const schemaBeside = {
  name: 'schema-beside',
  setup: (build) =>
    build.onLoad({ filter: /experiment\.schema\.json$/ }, () => ({
      contents: `module.exports = JSON.parse(require('node:fs').readFileSync(
        require('node:path').join(__dirname, 'experiment.schema.json'), 'utf8'));`,
      loader: 'js',
    })),
};

const copied = (out) => ({
  name: 'copied',
  setup: (build) =>
    build.onEnd(() => {
      mkdirSync(join(out, 'wasm'), { recursive: true });
      for (const [from, to] of Object.entries(COPIED)) copyFileSync(join(ROOT, from), join(out, to));
    }),
});
