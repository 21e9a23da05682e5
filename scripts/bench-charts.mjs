import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from './build.mjs';
import { Failure, main } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

/** `node scripts/bench-charts.mjs [points] [records]`: bench/charts.ts, after a build. Needs Chromium. */
await main(async () => {
  ensureDependencies();
  if (!process.argv.includes('--no-build')) await build();
  const esbuild = await import('esbuild');
  const outfile = join(ROOT, '.cache', 'bench', 'charts.cjs');
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: ['bench/charts.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['playwright-core', 'axe-core'],
    logLevel: 'warning',
  });
  const numbers = process.argv.slice(2).filter((a) => /^\d+$/.test(a));
  const { status } = spawnSync(process.execPath, [outfile, ...numbers], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) throw new Failure('The benchmark failed; the error is above.');
});
