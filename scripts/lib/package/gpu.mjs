import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Failure } from '../console.mjs';
import { ROOT } from '../run.mjs';

const MODULES = join(ROOT, 'node_modules');

/** Platforms with GPU support in their packages: those on which at least one part can be installed. */
export const GPU_TARGETS = ['linux-x64', 'win32-x64'];

/**
 * The files for Install GPU Support, under `dist/gpu`: for each part a folder that it copies, with the package's own
 * unmodified install scripts. An installed extension has no npm, so each dependency is bundled into one file. Contains
 * no native files: the scripts download those.
 * @returns esbuild's metafiles, for the notices
 */
export async function stageGpu(dist) {
  const esbuild = await import('esbuild');
  const metafiles = [];
  const bundle = async (entry, outfile, options = {}) => {
    const result = await esbuild.build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      minify: true,
      metafile: true,
      absWorkingDir: ROOT,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      legalComments: 'none',
      logLevel: 'warning',
      ...options,
    });
    metafiles.push(result.metafile);
  };
  await stagePart(join(dist, 'gpu', 'cuda', 'node_modules'), 'onnxruntime-node', 'script', bundle);
  if (existsSync(join(MODULES, TFJS))) {
    const to = join(dist, 'gpu', 'tensorflow', 'node_modules');
    const plugins = [withoutBuilding, withoutBackends];
    await stagePart(to, TFJS, 'scripts', bundle);
    // Its package.json stays a file, which the install script changes and reads.
    const own = { plugins, external: ['../package.json', ...MOCKS] };
    await bundle(join(MODULES, TFJS, 'dist/index.js'), join(to, TFJS, 'dist/index.js'), own);
    const preGyp = join(to, '@mapbox/node-pre-gyp/index.js');
    await bundle(join(MODULES, '@mapbox/node-pre-gyp/lib/main.js'), preGyp, { plugins, external: MOCKS });
  }
  await bundle(join(ROOT, 'src/gpu-support/watched.ts'), join(dist, 'gpu', 'watched.cjs'));
  return metafiles;
}

/** Used only by node-pre-gyp's own tests. */
const MOCKS = ['aws-sdk', 'mock-aws-s3', 'nock'];

const TFJS = '@tensorflow/tfjs-node-gpu';

/** The dependencies of the install scripts besides Node. */
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
    await bundle(resolve(dependency), join(to, dependency, 'index.js'), { plugins: [withServerName] });
}

/** A plugin that replaces text in a module; a Failure if the text is no longer there. */
const changed = (name, filter, ...changes) => ({
  name,
  setup: (build) =>
    build.onLoad({ filter }, ({ path }) => {
      let contents = readFileSync(path, 'utf8');
      for (const [from, to] of changes) {
        if (!contents.includes(from))
          throw new Failure(`${path} does not contain "${from}". Is it a new version?`);
        contents = contents.replaceAll(from, to);
      }
      return { contents, loader: 'js' };
    }),
});

const COMPILES = `({ install: () => require('./install') }[command] ?? (() => { throw new Error('AuroRA Lab compiles nothing'); }))()`;

/** node-pre-gyp without its other commands: never compile C++ on the user's machine unasked. */
const withoutBuilding = changed(
  'without-building',
  /node-pre-gyp[\\/]lib[\\/]node-pre-gyp\.js$/,
  [`require('./' + command)`, COMPILES],
  [`require('./' + c).usage`, 'c'],
);

/** Node never sets this option (4.1.3): behind a proxy, each certificate was compared with "localhost". */
const withServerName = changed('with-server-name', /global-agent[\\/]dist[\\/]classes[\\/]Agent\.js$/, [
  'configuration.secureEndpoint',
  `this.protocol === 'https:'`,
]);

/** The binding only computes and does not load other models: these are half of the bundle. */
const withoutBackends = {
  name: 'without-backends',
  setup(build) {
    const filter = /^@tensorflow\/tfjs-(backend-cpu|backend-webgl|converter|data)$/;
    build.onResolve({ filter }, ({ path }) => ({ path, namespace: 'left-out' }));
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
  },
};
