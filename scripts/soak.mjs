import { join } from 'node:path';
import { build } from './build.mjs';
import { bundles, PROGRAMS } from './lib/bundles.mjs';
import { main } from './lib/console.mjs';
import { ROOT, runNode } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { ensureFakeTime } from './lib/system.mjs';

const OUT = join(ROOT, '.cache', 'soak-program');

/** The fault injection of test/soak, with the given options; `--built` uses dist/ without rebuilding. */
await main(async () => {
  const args = process.argv.slice(2).filter((arg) => arg !== '--built');
  ensureDependencies();
  ensureFakeTime();
  if (args.length === process.argv.length - 2) await build();
  const esbuild = await import('esbuild');
  const [host] = bundles(OUT, {
    programs: { soak: 'test/soak/main.ts', 'schema-validator': PROGRAMS['schema-validator'] },
  });
  await esbuild.build(host);
  return runNode(join(OUT, 'soak.cjs'), args);
});
