import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, say } from './console.mjs';
import { ROOT, npm } from './run.mjs';

/** The conformance suite of the Model Context Protocol. From 0.1.15 on, it needs Node 22. */
const PACKAGE = {
  name: '@modelcontextprotocol/conformance',
  version: '0.1.13',
  integrity:
    'sha512-J9cC7Dsi7hTn7sxorvxDZ+wC8OlHAkOmVxVm1/IBQ8HEpYJu8r0eAUEw68vTmjBPP5WcU8Jld4RZ3cOFp/Ih1g==',
};

/** The path of the suite's program, installed once. Not a dependency: nothing else needs it. */
export function ensureMcpConformance() {
  const folder = join(ROOT, '.cache', `mcp-conformance-${PACKAGE.version}`);
  const program = join(folder, 'node_modules', PACKAGE.name, 'dist', 'index.js');
  if (isInstalled(folder)) return program;
  say('Installing the conformance suite of the Model Context Protocol from npm …');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ private: true })}\n`);
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  const { status } = npm(['install', ...options, `${PACKAGE.name}@${PACKAGE.version}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status === 0 && isInstalled(folder)) return program;
  throw new Failure(
    'npm could not install the conformance suite, or installed another than the one pinned in scripts/.',
    'Check the network or the npm registry setting (npm config get registry), then run this again.',
  );
}

/** True if npm has recorded the package with our sum. */
function isInstalled(folder) {
  const record = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const { packages } = JSON.parse(readFileSync(record, 'utf8'));
  return packages[`node_modules/${PACKAGE.name}`]?.integrity === PACKAGE.integrity;
}
