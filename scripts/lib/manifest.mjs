import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './console.mjs';
import { ROOT } from './run.mjs';

const FOLDER = 'src/extension';
/** A file that contributes to package.json (src/extension/manifest/declared.ts). */
export const DECLARES = /^export const contributes\b/m;

/** The paths of such files in the repository. */
export const contributing = () =>
  readdirSync(join(ROOT, FOLDER), { recursive: true })
    .map((path) => `${FOLDER}/${String(path).replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && DECLARES.test(readFileSync(join(ROOT, path), 'utf8')))
    .sort();

/** The declarations in the extension's code: the generated sections of package.json, and package.nls.json. */
export async function declaredManifest() {
  const esbuild = await import('esbuild');
  const files = contributing();
  const contents = [
    `import { manifestOf } from './${FOLDER}/manifest/sections';`,
    ...files.map((path, i) => `import { contributes as from${i} } from './${path}';`),
    `export const manifest = manifestOf([${files.map((_, i) => `from${i}`).join(', ')}]);`,
  ].join('\n');
  const { outputFiles } = await esbuild
    .build({
      stdin: { contents, resolveDir: ROOT, loader: 'ts' },
      absWorkingDir: ROOT,
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'node',
      logLevel: 'warning',
      plugins: [declarationsOnly],
    })
    .catch(() => {
      throw new Failure('The manifest could not be generated; the errors are above.');
    });
  const module = { exports: {} };
  new Function('module', outputFiles[0].text)(module);
  // Without the keys that are undefined.
  return JSON.parse(JSON.stringify(module.exports.manifest));
}

/** Writes what the code declares into package.json and package.nls.json. */
export async function writeManifest() {
  const { sections, texts } = await declaredManifest();
  const whole = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  replace('package.json', { ...whole, ...sections });
  replace('package.nls.json', texts);
}

/** Writes a JSON file, unless it has this content already. */
function replace(name, value) {
  const path = join(ROOT, name);
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (readFileSync(path, 'utf8') === text) return;
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** A stand-in for VS Code's API, for constants that a file makes with it when it is loaded. */
const ANYTHING = `
  const anything = new Proxy(function () {}, {
    get: () => anything,
    apply: () => anything,
    construct: () => anything,
  });
  module.exports = Object.create(anything);`;

/** Takes from each module only what is used: the rest runs in VS Code. */
const declarationsOnly = {
  name: 'declarations-only',
  setup(build) {
    build.onResolve({ filter: /./ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      if (pluginData === declarationsOnly) return undefined;
      if (path === 'vscode') return { path, namespace: 'none', sideEffects: false };
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: declarationsOnly });
      return found.errors.length > 0 ? found : { ...found, sideEffects: false };
    });
    build.onLoad({ filter: /./, namespace: 'none' }, () => ({ contents: ANYTHING }));
  },
};
