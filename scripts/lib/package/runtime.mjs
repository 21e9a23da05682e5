import { chmodSync, cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../console.mjs';
import { fetchPackage } from '../npm-package.mjs';
import { ROOT } from '../run.mjs';
import { readTarball } from '../tarball.mjs';
import { TARGETS } from './targets.mjs';

/**
 * Libraries that are never loaded: macOS gets its library twice, under two names, and Windows loads DirectML (18 MB)
 * only if a session requests that provider, which none of our devices does.
 */
const UNUSED = /^(libonnxruntime\.\d+\.\d+\.\d+\.dylib|DirectML\.dll)$/;

/** Puts a platform's Node, ONNX Runtime and Dawn under `dist`; returns their license texts. */
export function stageRuntime(target, dist) {
  const { runtime, dawn, node } = TARGETS[target];
  const files = readTarball(fetchPackage(node));
  const program = files.get(node.file);
  if (!program) throw new Failure(`${node.spec} has no ${node.file}. Its layout has changed.`);
  const path = join(dist, 'node', basename(node.file));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, program);
  chmodSync(path, 0o755);
  stageOnnxRuntime(runtime, join(dist, 'node_modules'));
  stageDawn(dawn, join(dist, 'node_modules'));
  return [{ name: 'Node.js', version: node.spec.split('@').at(-1), text: licenseOfNode(files) }];
}

/** A release of Node has one license text for all platforms, and npm's packages for Windows omit it. */
function licenseOfNode(files) {
  const text = files.get('LICENSE') ?? readTarball(fetchPackage(TARGETS['linux-x64'].node)).get('LICENSE');
  if (!text) throw new Failure('No package of Node contains its license. Their layout has changed.');
  return text.toString();
}

function stageOnnxRuntime(platform, to) {
  const from = join(ROOT, 'node_modules');
  const [napi] = readdirSync(join(from, 'onnxruntime-node/bin'));
  copyScripts(join(from, 'onnxruntime-node'), join(to, 'onnxruntime-node'), 'dist');
  // Only the files that its require() loads; its ES modules are for browser bundlers.
  copyScripts(join(from, 'onnxruntime-common'), join(to, 'onnxruntime-common'), 'dist/cjs');
  const binaries = join('onnxruntime-node/bin', napi, platform);
  cpSync(join(from, binaries), join(to, binaries), {
    recursive: true,
    filter: (file) => !UNUSED.test(basename(file)),
  });
}

/** Dawn, for TensorFlow.js on WebGPU; on Windows with the shader compilers next to it, and their licenses. */
function stageDawn(platform, to) {
  const from = join(ROOT, 'node_modules/webgpu');
  const folder = join('dist', platform);
  cpSync(join(from, folder), join(to, 'webgpu', folder), { recursive: true });
  cpSync(join(from, 'index.js'), join(to, 'webgpu/index.js'));
  describe(from, join(to, 'webgpu'));
}

function copyScripts(from, to, folder) {
  cpSync(join(from, folder), join(to, folder), {
    recursive: true,
    filter: (file) => !/\.(map|ts)$/.test(file),
  });
  describe(from, to);
}

/** Only the fields of package.json that require() and import() read. */
function describe(from, to) {
  const { name, version, license, main, type } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  writeFileSync(
    join(to, 'package.json'),
    `${JSON.stringify({ name, version, license, main, type }, null, 2)}\n`,
  );
}
