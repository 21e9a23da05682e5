import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { apart, copied, schemaBeside, validatorBeside } from './bundle-plugins.mjs';
import { extensionBundle } from './extension-bundle.mjs';
import { ROOT } from './run.mjs';

/** Code that runs under Node: the programs, the extension's workers, the demo model's converter. */
export const PROGRAMS = {
  cli: 'src/cli/main.ts',
  tfjs: 'src/engine/tfjs/library.ts',
  'hub-packages': 'src/hub/packages.ts',
  'mcp-sdk': 'src/cli/commands/mcp/sdk.ts',
  'pulse-worker': 'src/training/process/pulse-worker.ts',
  'data-worker': 'src/extension/data-worker/worker.ts',
  'study-worker': 'src/extension/study-worker/worker.ts',
  'hash-worker': 'src/training/inputs/hash-worker.ts',
  'image-worker': 'src/data/images/image-worker.ts',
  'use-lite': 'src/demo/use-lite.ts',
  'schema-validator': 'src/runs/experiment/schema-validator.ts',
};
/** The folders of webview that are a page; the others hold what pages share. */
export const PAGES = readdirSync(join(ROOT, 'webview')).filter((name) =>
  existsSync(join(ROOT, 'webview', name, 'main.ts')),
);

/**
 * esbuild's settings for the programs, the extension host's code and the dashboards' pages, to the folder `out`. A package is minified and has
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
  const node = {
    ...common,
    outdir: out,
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    target: 'node20',
    // jsonc-parser's `main` is UMD, and bundlers cannot follow the requires inside it.
    mainFields: ['module', 'main'],
    loader: { '.py': 'text' },
    minify: packaged,
  };
  const host = {
    ...node,
    entryPoints: programs,
    format: 'cjs',
    external: ['onnxruntime-node', 'sharp', 'vscode', 'webgpu'],
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
  return [host, extensionBundle(node), pages];
}
