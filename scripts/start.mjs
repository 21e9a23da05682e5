import { join } from 'node:path';
import { build } from './build.mjs';
import { main, say } from './lib/console.mjs';
import { ROOT, runNode } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

/** Runs the demo; arguments after `npm start --` are passed to `aurora train`. */
await main(async () => {
  ensureDependencies();
  await build();
  ensureUseLite();
  say('Training demo/debian-sections.aurora.json …');
  const args = ['train', join('demo', 'debian-sections.aurora.json'), '--baseline', ...process.argv.slice(2)];
  return runNode(join(ROOT, 'dist', 'cli.cjs'), args);
});
