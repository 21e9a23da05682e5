import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { childEnvironment } from '../../files/child-environment';
import { AuroraError, EXIT } from '../../base/errors';
import { one, type Command } from '../command';
import { duration } from '../format';

/** The repository that this program was built in. */
const ROOT = join(__dirname, '..');

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
`,
  options: { out: { type: 'string' } },
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
    const steps = [
      [join(ROOT, data)],
      ...files.map((file) => [cli, 'sweep', from(file), '--device', 'cpu']),
      [cli, 'study', ...files.map(from), '--measure', '--against', against, '--title', title, '--out', out],
    ];
    for (const step of steps) {
      const code = await runNode(step);
      if (code !== EXIT.ok) return code;
    }
    process.stdout.write(`Took   ${duration((performance.now() - began) / 1000)}\n`);
    return EXIT.ok;
  },
};

/** Runs one step as a child process in this terminal. Ctrl-C reaches it directly, and its exit code is the result. */
function runNode(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, args, {
    cwd: process.cwd(),
    stdio: 'inherit',
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
