import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { DEMO_EXPERIMENT, makeDemo } from './lib/demo-bundle.mjs';
import { cropForReadme } from './lib/readme-pictures.mjs';
import { ROOT, runNode } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

/** Runs and their messages include their folder, which pictures show: so it is always this one. */
const WORKSPACE = join(tmpdir(), 'aurora-demo');
/** The folder in which its runs are kept for next time. */
const KEPT = join(ROOT, '.cache/pictures');
const RUNS = '.aurora/runs/debian-sections';
const LORA = 'adapter={"method":"lora","rank":2,"alpha":4,"targetModules":["query","value"]}';

/**
 * Pictures of every view, in four themes, of real runs of the demo, into .cache/screenshots/workbench; with --readme
 * only those of the README, which are dark, and cropped into docs/images; with names, such as `views`, only these files'. Fails if a page has low-contrast text or a blank canvas.
 */
await main(async () => {
  ensureDependencies();
  await build();
  prepareRuns();
  const readme = process.argv.includes('--readme');
  const env = {
    ...process.env,
    AURORA_SCREENSHOTS: WORKSPACE,
    ...(readme && { AURORA_THEMES: 'dark', AURORA_README: '1' }),
  };
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const files = readme ? ['views'] : process.argv.slice(2);
  const code = runNode(vitest, ['run', '--project', 'screenshots', ...files], { env });
  rmSync(WORKSPACE, { recursive: true, force: true });
  if (code !== 0) return code;
  say('The pictures are in .cache/screenshots/workbench/.');
  if (readme) await cropForReadme();
  return 0;
});

/** Two finished runs to compare, AuroRA's before LoRA's; kept for next time. */
function prepareRuns() {
  rmSync(WORKSPACE, { recursive: true, force: true });
  makeDemo(WORKSPACE);
  const runs = join(WORKSPACE, RUNS);
  if (existsSync(KEPT)) cpSync(KEPT, runs, { recursive: true });
  else train(runs);
  const [first] = readdirSync(runs).sort();
  const words = { star: true, note: 'The first run, to compare others with.' };
  writeFileSync(join(runs, first, 'user.json'), `${JSON.stringify(words, null, 2)}\n`);
  // Makes the errors view load at once; next to a training run it would take a minute.
  const errors = ['errors', join(runs, first), '--json'];
  if (runNode(join(ROOT, 'dist/cli.cjs'), errors, { stdio: ['ignore', 'ignore', 'inherit'] }) !== 0)
    throw new Failure('The errors of the first run could not be computed; the message is above.');
}

function train(runs) {
  for (const more of [[], ['--set', LORA]]) {
    say('Training a run for the pictures …');
    const args = [join(ROOT, 'dist/cli.cjs'), 'train', join(WORKSPACE, DEMO_EXPERIMENT), ...more];
    if (spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0)
      throw new Failure('The run for the pictures failed; the message is above.');
  }
  rmSync(`${KEPT}.part`, { recursive: true, force: true });
  cpSync(runs, `${KEPT}.part`, { recursive: true });
  renameSync(`${KEPT}.part`, KEPT);
}
