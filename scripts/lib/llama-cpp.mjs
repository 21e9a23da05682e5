import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, say } from './console.mjs';
import { ROOT, npm } from './run.mjs';

/** llama.cpp as a module for Node, and its program for Linux. The CUDA packages beside it have 700 MB. */
const PACKAGES = [
  {
    name: 'node-llama-cpp',
    version: '3.21.1',
    integrity:
      'sha512-E3N0Ev2Va0wzydvXYFwM9Hvyo07PoWjt8T/9GMc43Cvt8YkV/NU/tYUgEMC1grTPv2o9PRjQi0G3Wb5P/awiMg==',
  },
  {
    name: '@node-llama-cpp/linux-x64',
    version: '3.21.1',
    integrity:
      'sha512-Totj6RTDMGo3FoK2yNUaz/oGmZD0olAqTrRluFUWmu0kW2i9TOzHSW0OWCAiGkzRCVX0WsU2CyUQo/W2NYtdPA==',
  },
];

/**
 * The folder whose node_modules has llama.cpp, in which the export tests run GGUF files. Not a dependency: nothing else
 * needs it.
 */
export function ensureLlamaCpp() {
  const folder = join(ROOT, '.cache', `llama-cpp-${PACKAGES[0].version}`);
  if (isInstalled(folder)) return folder;
  say('Installing llama.cpp (node-llama-cpp) from npm …');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ private: true })}\n`);
  const specs = PACKAGES.map(({ name, version }) => `${name}@${version}`);
  const options = ['--no-save', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--silent'];
  const { status } = npm(['install', ...options, ...specs], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status === 0 && isInstalled(folder)) return folder;
  throw new Failure(
    'npm could not install llama.cpp, or installed other files than those pinned in scripts/.',
    'Check the network or the npm registry setting (npm config get registry), remove .cache/llama-cpp-*, and run this again.',
  );
}

/** True if npm has recorded both packages with our sums. */
function isInstalled(folder) {
  const record = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const { packages } = JSON.parse(readFileSync(record, 'utf8'));
  return PACKAGES.every(({ name, integrity }) => packages[`node_modules/${name}`]?.integrity === integrity);
}
