import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, say } from './console.mjs';
import { ROOT, npm } from './run.mjs';

const OLDEST_NODE = [20, 19];

/** Checks Node, installs what package-lock.json requires if it is missing, checks the runtime's binary. */
export function ensureDependencies() {
  checkNode();
  if (!installed()) install();
  checkRuntime();
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new Failure(
    `Node ${process.versions.node} is too old: AuroRA Lab needs ${OLDEST_NODE.join('.')} or newer.`,
    'Install a current Node, then run this again.',
  );
}

/** True if npm's own record of node_modules, written last, matches the lock file. */
function installed() {
  const record = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const have = JSON.parse(readFileSync(record, 'utf8')).packages;
  const want = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const matches = ([path, p]) => (have[path] ? have[path].integrity === p.integrity : p.optional);
  return Object.entries(want).every((entry) => entry[0] === '' || matches(entry));
}

function install() {
  say('Installing dependencies (npm ci) …');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
  const result = npm(['ci', ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (result.status !== 0)
    throw new Failure(
      'npm could not install the dependencies; its message is above.',
      'Check the network or the npm registry setting (npm config get registry), then run this again.',
    );
}

function checkRuntime() {
  const folder = join(ROOT, 'node_modules', 'onnxruntime-node');
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const platforms = readdirSync(join(folder, 'bin')).flatMap((napi) =>
    readdirSync(join(folder, 'bin', napi)).flatMap((os) =>
      readdirSync(join(folder, 'bin', napi, os)).map((cpu) => `${os}-${cpu}`),
    ),
  );
  const here = `${process.platform}-${process.arch}`;
  if (!platforms.includes(here))
    throw new Failure(
      `ONNX Runtime ${version} has no build for ${here}. It has: ${platforms.join(', ')}.`,
      here === 'darwin-x64'
        ? 'On an Apple-silicon Mac, install the arm64 build of Node; Intel Macs are not supported.'
        : 'Run AuroRA Lab on one of those platforms.',
    );
  if (process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime)
    throw new Failure(
      `ONNX Runtime ${version} needs glibc, and this Node is built for another C library (Alpine's musl?).`,
      'Use a Debian-, Ubuntu- or Fedora-based system or container.',
    );
}
