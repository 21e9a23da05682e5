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
  /** Fetches what is read and is not in the repository. */
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

Trains and compares what docs/studies/demo.md reports, from nothing: AuroRA of rank 2, 4 and 8, LoRA of rank 2, 4, 8 and
16 and the head alone, on two real data sets with three seeds. Learning rates are searched alike for all, on the first
seed. It takes a little under two hours on two cores. Ctrl-C saves and stops; the same command goes on.

It runs in a clone of the repository, whose demo/studies/*.aurora.json are the experiments.

  --out FOLDER   where the report goes (default: .cache/reproduce/NAME; that of the repository is in docs/studies/NAME)
`,
  options: { out: { type: 'string' } },
  async run(args) {
    const name = one(args, 'name of a study', 'reproduce');
    if (!Object.hasOwn(REPRODUCTIONS, name))
      throw new AuroraError(
        'usage',
        `There is no study "${name}" to reproduce.`,
        `There is: ${Object.keys(REPRODUCTIONS).join(', ')}.`,
      );
    const { title, data, experiments, against } = REPRODUCTIONS[name];
    const files = experiments.map((path) => join(ROOT, path));
    if (![join(ROOT, data), ...files].every((path) => existsSync(path)))
      throw new AuroraError(
        'usage',
        'The experiments of this study are not here: they come with the repository, not with the extension.',
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

/** One step as a process of its own, at this terminal: Ctrl-C reaches it there, and what it then says is the answer. */
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
