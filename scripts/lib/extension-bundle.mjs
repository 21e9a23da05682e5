import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { schemaBeside, validatorBeside } from './bundle-plugins.mjs';
import { DECLARES } from './manifest.mjs';
import { ROOT } from './run.mjs';

const MAIN = './src/extension/main.ts';

/** The parts that extension.cjs loads, statically or on demand, with the hash of their contents. */
const PARTS = 'extension-[name]-[hash]';
export const IS_PART = /^extension-.+\.cjs(\.map)?$/;

/**
 * The extension host's code, split at its dynamic imports: extension.cjs, which activates the extension, and its parts
 * beside it, each module in one of them.
 * @param {import('esbuild').BuildOptions} node the settings of all code that runs under Node
 */
export const extensionBundle = (node) => ({
  ...node,
  entryPoints: { extension: MAIN },
  // esbuild splits nothing but ES modules.
  format: 'esm',
  splitting: true,
  chunkNames: PARTS,
  external: ['vscode'],
  write: false,
  sourcemap: node.sourcemap && 'inline',
  plugins: [afterMain, vscodeOnce, validatorBeside, schemaBeside, asCommonJs(node)],
});

/**
 * esbuild makes one file for each set of imports and dynamic imports that reach the same modules: what is loaded at
 * activation would be split into as many files as it has different users. If each part reaches the whole of it, it is
 * one file.
 */
const afterMain = {
  name: 'after-main',
  setup(build) {
    build.onResolve({ filter: /^\./ }, async ({ kind, path, importer, resolveDir, pluginData }) => {
      if (kind !== 'dynamic-import' || pluginData === afterMain) return undefined;
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: afterMain });
      if (found.errors.length > 0) return found;
      // Without the path of this machine, so that it makes no difference to the hashes.
      return { path: relative(ROOT, found.path).split(sep).join('/'), namespace: 'part' };
    });
    build.onLoad({ filter: /./, namespace: 'part' }, ({ path }) => ({
      // A name that is exported here hides that of the module: what it declares for package.json is left out.
      contents: `import '${MAIN}'; export * from './${path}'; ${
        DECLARES.test(readFileSync(join(ROOT, path), 'utf8')) ? 'export const contributes = undefined;' : ''
      }`,
      resolveDir: ROOT,
    }));
  },
};

/**
 * One namespace object of VS Code's API for all modules: esbuild makes one per `import * as vscode` of a CommonJS module,
 * by copying its 400 names.
 */
const vscodeOnce = {
  name: 'vscode-once',
  setup(build) {
    build.onResolve({ filter: /^vscode$/ }, ({ namespace }) =>
      namespace === 'once' ? { path: 'vscode', external: true } : { path: 'vscode', namespace: 'once' },
    );
    build.onLoad({ filter: /./, namespace: 'once' }, () => ({ contents: "export * from 'vscode';" }));
  },
};

/** Writes the output as CommonJS modules, and removes the parts of earlier builds. */
const asCommonJs = ({ outdir, sourcemap, minify, target }) => ({
  name: 'as-common-js',
  setup(build) {
    build.onEnd(async ({ outputFiles = [] }) => {
      if (outputFiles.length === 0) return;
      const written = await Promise.all(
        outputFiles.map(async ({ path, text }) => {
          const { code, map } = await build.esbuild.transform(text, {
            format: 'cjs',
            platform: 'node',
            target,
            minify,
            sourcemap: sourcemap && 'external',
            sourcefile: path,
            legalComments: 'none',
            // Becomes require(), since VS Code's API is only there for what is loaded with it.
            supported: { 'dynamic-import': false },
          });
          return { path, code, map };
        }),
      );
      mkdirSync(outdir, { recursive: true });
      const kept = new Set();
      for (const { path, code, map } of written) {
        const name = basename(path);
        kept.add(name).add(`${name}.map`);
        writeFileSync(path, sourcemap ? `${code}//# sourceMappingURL=${name}.map\n` : code);
        if (sourcemap) writeFileSync(`${path}.map`, map);
      }
      for (const name of readdirSync(outdir))
        if (IS_PART.test(name) && !kept.has(name)) rmSync(join(outdir, name), { force: true });
    });
  },
});

/**
 * The names of the files that are loaded with extension.cjs, itself among them.
 * @param {import('esbuild').Metafile} metafile of `extensionBundle`
 */
export function loadedAtActivation({ outputs }) {
  const loaded = new Set(Object.keys(outputs).filter((path) => basename(path) === 'extension.cjs'));
  // A set's iteration includes items that are added during it.
  for (const path of loaded)
    for (const { kind, path: other, external } of outputs[path].imports)
      if (kind === 'import-statement' && !external) loaded.add(other);
  return [...loaded].map((path) => basename(path));
}
