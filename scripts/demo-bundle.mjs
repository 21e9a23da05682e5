import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { main, say } from './lib/console.mjs';
import { makeDemo, makeOtherDemos } from './lib/demo-bundle.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

/** Makes dist/demo and the other demos, parts of a packaged extension, for "AuroRA: Run the Demo" in the repository. */
await main(async () => {
  ensureDependencies();
  if (!existsSync(join(ROOT, 'dist', 'use-lite.cjs'))) await build();
  const files = makeDemo(join(ROOT, 'dist', 'demo'));
  say(`dist/demo: ${files.join(', ')}`);
  for (const folder of makeOtherDemos(join(ROOT, 'dist'))) say(`dist/${folder}`);
});
