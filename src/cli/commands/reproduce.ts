import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { childEnvironment } from '../../files/child-environment';
import { AuroraError, EXIT } from '../../base/errors';
import { one, type Command } from '../command';
import { durationText } from '../../base/number-text';
import { isQuiet, write } from '../output';

/** The repository that this program was built in. */
const ROOT = join(__dirname, '..');

/** Its file descriptor. */
const STANDARD_ERROR = 2;

interface Reproduction {
  title: string;
  /** The script that fetches the data that are not in the repository. */
  data: string;
  /** Each with a sweep. */
  experiments: string[];
  /** The group that the others are compared with. */
  against: string;
}

const REPRODUCTIONS: Record<string, Reproduction> = {
  demo: {
    title: 'AuroRA and LoRA on two small data sets',
    data: 'scripts/study-data.mjs',
    experiments: ['demo/studies/debian-sections.aurora.json', 'demo/studies/spam-assassin.aurora.json'],
    against: 'AuroRA r=2',
  },
};

export const reproduceCommand: Command = {
  help: `Usage: aurora reproduce demo [options]

Reproduces the study in docs/studies/demo.md from scratch: trains and compares AuroRA of rank 2, 4 and 8, LoRA of rank
2, 4, 8 and 16, and the head alone, on two real data sets with three seeds. All get the same learning-rate search, on
the first seed. Takes a little under two hours on two cores. Ctrl-C saves and stops; the same command continues.

Needs a clone of the repository: the experiments are demo/studies/*.aurora.json.

  --out FOLDER   the report's folder (default: .cache/reproduce/NAME; the published report is in docs/studies/NAME)
  --json         JSON lines: those of \`aurora sweep\` and \`aurora study\`, and took
`,
  options: { out: { type: 'string' }, json: { type: 'boolean' } },
  values: { '': Object.keys(REPRODUCTIONS) },
  async run(args) {
    const name = one(args, 'study name', 'reproduce');
    if (!Object.hasOwn(REPRODUCTIONS, name))
      throw new AuroraError(
        'usage',
        `Unknown study "${name}".`,
        `Available: ${Object.keys(REPRODUCTIONS).join(', ')}.`,
      );
    const { title, data, experiments, against } = REPRODUCTIONS[name];
    const files = experiments.map((path) => join(ROOT, path));
    if (![join(ROOT, data), ...files].every((path) => existsSync(path)))
      throw new AuroraError(
        'usage',
        'The experiments of this study were not found: they are part of the repository, not of the extension.',
        'Clone the repository, run `npm start` in it once, and then `npx aurora reproduce demo`.',
      );
    const out = resolve(args.text('out') ?? join(ROOT, '.cache', 'reproduce', name));
    const began = performance.now();
    const cli = join(__dirname, 'cli.cjs');
    const from = (path: string) => relative(process.cwd(), path);
    const json = args.flag('json');
    const shared = [...(json ? ['--json'] : []), ...(isQuiet() ? ['--quiet'] : [])];
    const steps = [
      ...files.map((file) => ['sweep', from(file), '--device', 'cpu']),
      ['study', ...files.map(from), '--measure', '--against', against, '--title', title, '--out', out],
    ];
    // The script prints progress, and its errors are on standard error.
    const fetched = await runNode([join(ROOT, data)], isQuiet() ? 'ignore' : STANDARD_ERROR);
    if (fetched !== EXIT.ok) return fetched;
    for (const step of steps) {
      const code = await runNode([cli, ...step, ...shared], 'inherit');
      if (code !== EXIT.ok) return code;
    }
    const seconds = (performance.now() - began) / 1000;
    if (json) await write(`${JSON.stringify({ kind: 'took', seconds, out })}\n`);
    else process.stderr.write(`Took   ${durationText(seconds)}\n`);
    return EXIT.ok;
  },
};

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
