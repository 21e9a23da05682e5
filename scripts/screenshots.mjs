import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { DEMO_EXPERIMENT, makeDemo } from './lib/demo-bundle.mjs';
import { cropForReadme } from './lib/readme-pictures.mjs';
import { ROOT, runNode } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const WORKSPACE = join(ROOT, '.cache/workbench/workspaces/screenshots');
const RUNS = join(WORKSPACE, '.aurora/runs/debian-sections');
const LORA = 'adapter={"method":"lora","rank":2,"alpha":4,"targetModules":["query","value"]}';

/**
 * Pictures of every view, in four themes, of real runs of the demo, into .cache/screenshots/workbench;
 * with --readme also the README's, into docs/images. Fails where a page has a faint text or a blank canvas.
 */
await main(async () => {
  ensureDependencies();
  await build();
  prepareRuns();
  const env = { ...process.env, AURORA_SCREENSHOTS: WORKSPACE };
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const code = runNode(vitest, ['run', '--project', 'screenshots'], { env });
  if (code !== 0) return code;
  say('The pictures are in .cache/screenshots/workbench/.');
  if (process.argv.includes('--readme')) await cropForReadme();
  return 0;
});

/** Two finished runs, AuroRA's before LoRA's, so that there is something to compare; kept for the next time. */
function prepareRuns() {
  mkdirSync(RUNS, { recursive: true });
  makeDemo(WORKSPACE);
  const finished = (id) => existsSync(join(RUNS, id, 'result.json'));
  for (const id of readdirSync(RUNS))
    if (!finished(id)) rmSync(join(RUNS, id), { recursive: true, force: true });
  const settings = [[], ['--set', LORA]];
  for (const more of settings.slice(readdirSync(RUNS).length)) {
    say('Training a run to take pictures of …');
    const args = [join(ROOT, 'dist/cli.cjs'), 'train', join(WORKSPACE, DEMO_EXPERIMENT), ...more];
    if (spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0)
      throw new Failure('The run for the pictures failed; its message is above.');
  }
  const [first] = readdirSync(RUNS).sort();
  const words = { star: true, note: 'The first run to compare the others with.' };
  writeFileSync(join(RUNS, first, 'user.json'), `${JSON.stringify(words, null, 2)}\n`);
}
