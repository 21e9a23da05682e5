import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, main, say } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const ENTRY_POINTS = {
  cli: 'src/cli/main.ts',
  'pulse-worker': 'src/trainer/pulse-worker.ts',
  'use-lite': 'src/demo/use-lite.ts',
};

const options = {
  absWorkingDir: ROOT,
  entryPoints: ENTRY_POINTS,
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // jsonc-parser's `main` is UMD, whose inner requires a bundler cannot follow.
  mainFields: ['module', 'main'],
  external: ['onnxruntime-node'],
  sourcemap: true,
  logLevel: 'warning',
};

const copySchema = {
  name: 'copy-schema',
  setup: (build) => build.onEnd(() => copyFileSync(file('src/shared'), file('dist'))),
};
const file = (folder) => join(ROOT, folder, 'experiment.schema.json');

/** Bundles the programs into dist/. Needs the dependencies. */
export async function build() {
  say('Building …');
  const esbuild = await prepare();
  await esbuild.build({ ...options, plugins: [copySchema] }).catch(() => {
    throw new Failure('The build failed; the errors are above.');
  });
}

async function watch() {
  const esbuild = await prepare();
  const context = await esbuild.context({ ...options, logLevel: 'info', plugins: [copySchema] });
  await context.watch();
}

function prepare() {
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  return import('esbuild');
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
  await main(async () => {
    ensureDependencies();
    await (process.argv.includes('--watch') ? watch() : build());
  });
