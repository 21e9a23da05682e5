import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundles, PROGRAMS } from '../../bundles.mjs';
import { Failure } from '../../console.mjs';
import { ROOT } from '../../run.mjs';
import { FOLDER } from '../cases.mjs';

const OUT = join(FOLDER, 'cluster');
const PROGRAM = join(OUT, 'cluster.cjs');
const USED = join(import.meta.dirname, 'used.cjs');
/** A case that takes longer is far beyond the limit. */
const MOST_MS = 600_000;

/** Builds bench/cluster, with what the editor's code needs of VS Code. */
export async function buildClusterBench() {
  const esbuild = await import('esbuild');
  const programs = {
    cluster: 'bench/cluster/main.ts',
    'schema-validator': PROGRAMS['schema-validator'],
    'study-worker': PROGRAMS['study-worker'],
  };
  const [host] = bundles(OUT, { programs });
  const external = host.external.filter((name) => name !== 'vscode');
  await esbuild.build({ ...host, external, alias: { vscode: './bench/cluster/vscode.ts' } }).catch(() => {
    throw new Failure('The benchmark could not be built; the errors are above.');
  });
}

/**
 * Writes a study of so many trials.
 * @param {string} folder
 * @param {number} trials
 * @param {'random' | 'grid'} kind
 * @param {'finished' | 'rung'} state
 * @returns {{ file: string, sweep: string, bin: string }} the experiment, the sweep's folder, and stand-ins for Slurm's commands
 */
export const writeStudy = (folder, trials, kind, state) =>
  ask(['write', folder, String(trials), kind, state]);

/** The result of one case of bench/cluster: `ms` by action, and CPU time and memory of it all. */
export const measureCase = (name, folder, { file, sweep }) => ask([name, folder, file, sweep]);

function ask(args) {
  const run = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 28,
    timeout: MOST_MS,
  });
  if (run.status === 0) return JSON.parse(run.stdout);
  throw new Failure(`bench/cluster failed or took too long: ${args.join(' ')}`);
}

/** Wall time, CPU time and peak memory of a command of `aurora`. */
export function measureCommand(args, { folder, bin }) {
  const used = join(folder, 'used.json');
  const began = performance.now();
  const run = spawnSync(process.execPath, ['--require', USED, join(ROOT, 'dist', 'cli.cjs'), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, AURORA_BENCH_USED: used },
    timeout: MOST_MS,
  });
  const ms = performance.now() - began;
  if (run.status !== 0) throw new Failure(`aurora ${args.join(' ')} failed:\n${run.stderr}`);
  return { ms: { all: ms }, ...JSON.parse(readFileSync(used, 'utf8')) };
}
