import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Failure } from '../console.mjs';
import { ROOT } from '../run.mjs';

const MODULES = join(ROOT, 'node_modules');

/** Platforms whose package carries this: where at least one part of it can be installed. */
export const GPU_TARGETS = ['linux-x64', 'win32-x64'];

/**
 * What Install GPU Support needs, under `dist/gpu`: for each part a folder that it copies, with the package's
 * own install scripts as they are. An installed extension has no npm, so each dependency is there as one file.
 * No native file is in it: the scripts fetch those.
 * @returns esbuild's metafiles, for the notices
 */
export async function stageGpu(dist) {
  const esbuild = await import('esbuild');
  const metafiles = [];
  const bundle = async (entry, outfile, { plugins = [], external = [] } = {}) => {
    const result = await esbuild.build({
      entryPoints: [entry],
      outfile,
      plugins,
      bundle: true,
      minify: true,
      metafile: true,
      absWorkingDir: ROOT,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      mainFields: ['module', 'main'],
      // Of node-pre-gyp's own tests.
      external: ['aws-sdk', 'mock-aws-s3', 'nock', ...external],
      legalComments: 'none',
      logLevel: 'warning',
    });
    metafiles.push(result.metafile);
  };
  await stagePart(join(dist, 'gpu', 'cuda', 'node_modules'), 'onnxruntime-node', 'script', bundle);
  if (existsSync(join(MODULES, TFJS))) {
    const to = join(dist, 'gpu', 'tensorflow', 'node_modules');
    const plugins = [withoutBuilding, withoutBackends];
    await stagePart(to, TFJS, 'scripts', bundle);
    // Its description stays a file, which the install script changes and reads.
    const own = { plugins, external: ['../package.json'] };
    await bundle(join(MODULES, TFJS, 'dist/index.js'), join(to, TFJS, 'dist/index.js'), own);
    const preGyp = join(to, '@mapbox/node-pre-gyp/index.js');
    await bundle(join(MODULES, '@mapbox/node-pre-gyp/lib/main.js'), preGyp, { plugins });
  }
  await bundle(join(ROOT, 'src/trainer/gpu-support/watched.ts'), join(dist, 'gpu', 'watched.cjs'));
  return metafiles;
}

const TFJS = '@tensorflow/tfjs-node-gpu';

/** What the install scripts ask for beyond Node. */
const DEPENDENCIES = {
  'onnxruntime-node': ['adm-zip', 'global-agent'],
  [TFJS]: ['adm-zip', 'https-proxy-agent', 'progress', 'rimraf', 'tar'],
};

async function stagePart(to, name, scripts, bundle) {
  const from = join(MODULES, name);
  const isScript = (path) =>
    path.endsWith(scripts) || /(install|resources|deps|addon-name)[\w-]*\.js$/.test(path);
  mkdirSync(join(to, name), { recursive: true });
  cpSync(join(from, scripts), join(to, name, scripts), { recursive: true, filter: isScript });
  const whole = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  const kept = ['name', 'version', 'license', 'main', 'binary'].map((key) => [key, whole[key]]);
  writeFileSync(join(to, name, 'package.json'), `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`);
  const { resolve } = createRequire(join(from, 'package.json'));
  for (const dependency of DEPENDENCIES[name])
    await bundle(resolve(dependency), join(to, dependency, 'index.js'));
}

/** node-pre-gyp without its other commands: nobody's machine is made to compile C++ unasked. */
const withoutBuilding = {
  name: 'without-building',
  setup: (build) =>
    build.onLoad({ filter: /node-pre-gyp[\\/]lib[\\/]node-pre-gyp\.js$/ }, ({ path }) => {
      const only = `({ install: () => require('./install') }[command] ?? (() => { throw new Error('AuroRA Lab compiles nothing'); }))()`;
      const source = readFileSync(path, 'utf8');
      const contents = source
        .replace(`require('./' + command)`, only)
        .replace(`require('./' + c).usage`, 'c');
      if (contents.includes(`require('./' +`))
        throw new Failure(`${path} is not as expected: a new version of node-pre-gyp?`);
      return { contents, loader: 'js' };
    }),
};

/** The binding uses tfjs' core and, for its callbacks, layers; data, converter and WebGL are half of the bundle. */
const withoutBackends = {
  name: 'without-backends',
  setup(build) {
    build.onResolve({ filter: /^@tensorflow\/tfjs$/ }, ({ path }) => ({ path, namespace: 'small' }));
    build.onLoad({ filter: /.*/, namespace: 'small' }, () => ({
      resolveDir: dirname(MODULES),
      contents: `
        import '@tensorflow/tfjs-core/dist/register_all_gradients';
        import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
        import { version_core } from '@tensorflow/tfjs-core';
        import { version_layers } from '@tensorflow/tfjs-layers';
        export * from '@tensorflow/tfjs-core';
        export * from '@tensorflow/tfjs-layers';
        export const version = { 'tfjs-core': version_core, 'tfjs-layers': version_layers };`,
    }));
  },
};
