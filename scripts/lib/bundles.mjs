import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.mjs';

/** What runs under Node: the extension host's part, the programs, the demo model's converter. */
export const PROGRAMS = {
  extension: 'src/extension/main.ts',
  cli: 'src/cli/main.ts',
  'pulse-worker': 'src/trainer/pulse-worker.ts',
  'use-lite': 'src/demo/use-lite.ts',
};
export const PAGES = ['run', 'budget', 'activations'];

/**
 * esbuild's settings for the programs and for the dashboards' pages, to the folder `out`.
 * A package is minified and has no source maps; pages are always minified, since that is what gets measured.
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
    // The notices are gathered in one file of the package instead.
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
    // jsonc-parser's `main` is UMD, whose inner requires a bundler cannot follow.
    mainFields: ['module', 'main'],
    external: ['onnxruntime-node', 'vscode'],
    minify: packaged,
    plugins: [copySchema(out)],
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

const copySchema = (out) => ({
  name: 'copy-schema',
  setup: (build) =>
    build.onEnd(() => {
      const name = 'experiment.schema.json';
      mkdirSync(out, { recursive: true });
      copyFileSync(join(ROOT, 'src/shared', name), join(out, name));
    }),
});
