import { copyFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, main, say } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const ENTRY_POINTS = {
  extension: 'src/extension/main.ts',
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
  external: ['onnxruntime-node', 'vscode'],
  sourcemap: true,
  logLevel: 'warning',
};

/** The dashboards' pages, one bundle each. */
const pages = {
  absWorkingDir: ROOT,
  entryPoints: Object.fromEntries(['run', 'budget', 'activations'].map((p) => [p, `webview/${p}/main.ts`])),
  outdir: 'dist/webview',
  bundle: true,
  minify: true,
  platform: 'browser',
  target: 'chrome128',
  format: 'iife',
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
  const builds = [esbuild.build({ ...options, plugins: [copySchema] }), esbuild.build(pages)];
  await Promise.all(builds).catch(() => {
    throw new Failure('The build failed; the errors are above.');
  });
  linkNode();
}

async function watch() {
  const esbuild = await prepare();
  linkNode();
  const contexts = [{ ...options, plugins: [copySchema] }, pages].map((o) =>
    esbuild.context({ ...o, logLevel: 'info' }),
  );
  for (const context of await Promise.all(contexts)) await context.watch();
}

/** A packaged extension carries a Node; in the repository that is the one that built it. */
function linkNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const link = join(ROOT, 'dist', 'node', name);
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  if (process.platform === 'win32') copyFileSync(process.execPath, link);
  else symlinkSync(process.execPath, link);
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
