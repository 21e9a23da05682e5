import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a program of node_modules or our own, under this same Node; returns the exit code. */
export function runNode(script, args = [], options = {}) {
  const result = spawnSync(process.execPath, [script, ...args], { cwd: ROOT, stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

/** Like `runNode`, beside others: resolves to the exit code and the output, unless `stdio` sends it elsewhere. */
export function startNode(script, args = [], options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
    });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

/** True if `aurora` completed its command: training may end worse than a constant answer (exit code 27). */
export const isDone = (code) => code === 0 || code === 27;

/** npm with its output captured; `shell` only as the last resort, since on Windows npm is a .cmd file. */
export function npm(args, options = {}) {
  const cli = npmCli();
  const settings = { cwd: ROOT, encoding: 'utf8', ...options };
  return cli
    ? spawnSync(process.execPath, [cli, ...args], settings)
    : spawnSync('npm', args, { ...settings, shell: process.platform === 'win32' });
}

function npmCli() {
  const running = process.env.npm_execpath;
  const beside = join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  if (running && /^npm-cli\.c?js$/.test(basename(running)) && existsSync(running)) return running;
  return existsSync(beside) ? beside : undefined;
}
