import { join } from 'node:path';
import { build } from './build.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { ROOT, runNode } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

/** The experiments in demo/, by what they are about. The model of the first is fetched; the others' are committed. */
const DEMOS = { text: 'debian-sections', images: 'fashion', language: 'debian-summaries' };

/** Runs a demo: `npm start -- [--task text | images | language]`; other arguments are passed to `aurora train`. */
await main(async () => {
  const { task, rest } = parsed(process.argv.slice(2));
  ensureDependencies();
  await build();
  if (task === 'text') ensureUseLite();
  const file = join('demo', `${DEMOS[task]}.aurora.json`);
  say(`Training ${file} …`);
  return runNode(join(ROOT, 'dist', 'cli.cjs'), ['train', file, '--baseline', ...rest]);
});

function parsed(args) {
  const at = args.indexOf('--task');
  const task = at < 0 ? 'text' : args[at + 1];
  if (!Object.hasOwn(DEMOS, task ?? ''))
    throw new Failure(`There is no demo "${task ?? ''}".`, `Demos: ${Object.keys(DEMOS).join(', ')}.`);
  return { task, rest: at < 0 ? args : args.toSpliced(at, 2) };
}
