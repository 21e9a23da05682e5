import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { childEnvironment } from '../../../files/child-environment';
import { AuroraError, EXIT } from '../../../base/errors';
import type { ParsedArgs } from '../../command';
import { durationText } from '../../../base/number-text';
import { isQuiet, write } from '../../output';

/** The repository that this program was built in. */
const ROOT = join(__dirname, '..');

/** Its file descriptor. */
const STANDARD_ERROR = 2;

/** Trained on data that a script fetches. */
const DATA = 'scripts/study-data.mjs';
/** Each has a sweep. */
const EXPERIMENTS = ['demo/studies/debian-sections.aurora.json', 'demo/studies/spam-assassin.aurora.json'];

/**
 * Trains and compares the runs of the study in docs/studies/demo.md.
 *
 * @param args of the command, with its options out and json
 * @returns the exit code
 * @throws AuroraError 'usage' outside a clone of the repository
 */
export async function reproduceDemo(args: ParsedArgs): Promise<number> {
  const files = EXPERIMENTS.map((path) => join(ROOT, path));
  if (![join(ROOT, DATA), ...files].every((path) => existsSync(path)))
    throw new AuroraError(
      'usage',
      'The experiments of this study were not found: they are part of the repository, not of the extension.',
      'Clone the repository, run `npm start` in it once, and then `npx aurora reproduce demo`.',
    );
  const out = resolve(args.text('out') ?? join(ROOT, '.cache', 'reproduce', 'demo'));
  const began = performance.now();
  const cli = join(__dirname, 'cli.cjs');
  const from = (path: string) => relative(process.cwd(), path);
  const json = args.flag('json');
  const shared = [...(json ? ['--json'] : []), ...(isQuiet() ? ['--quiet'] : [])];
  const title = 'AuroRA and LoRA on two small data sets';
  const steps = [
    ...files.map((file) => ['sweep', from(file), '--device', 'cpu']),
    ['study', ...files.map(from), '--measure', '--against', 'AuroRA r=2', '--title', title, '--out', out],
  ];
  // The script prints progress, and its errors are on standard error.
  const fetched = await runNode([join(ROOT, DATA)], isQuiet() ? 'ignore' : STANDARD_ERROR);
  if (fetched !== EXIT.ok) return fetched;
  for (const step of steps) {
    const code = await runNode([cli, ...step, ...shared], 'inherit');
    if (code !== EXIT.ok) return code;
  }
  const seconds = (performance.now() - began) / 1000;
  if (json) await write(`${JSON.stringify({ kind: 'took', seconds, out })}\n`);
  else process.stderr.write(`Took   ${durationText(seconds)}\n`);
  return EXIT.ok;
}

/** Runs one step as a child process in this terminal. Ctrl-C reaches it directly, and its exit code is the result. */
function runNode(args: readonly string[], stdout: 'inherit' | 'ignore' | number): Promise<number> {
  const child = spawn(process.execPath, args, {
    cwd: process.cwd(),
    stdio: ['inherit', stdout, 'inherit'],
    env: childEnvironment(),
  });
  const wait = () => undefined;
  const pass = () => child.kill('SIGTERM');
  process.on('SIGINT', wait).on('SIGTERM', pass);
  return new Promise<number>((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code) => done(code ?? EXIT.stopped));
  }).finally(() => process.off('SIGINT', wait).off('SIGTERM', pass));
}
