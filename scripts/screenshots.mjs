import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { makeDemo } from './lib/demo-bundle.mjs';
import { ROOT, runNode } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const WORKSPACE = join(ROOT, '.cache/workbench/workspaces/screenshots');
const EXPERIMENT = join(WORKSPACE, 'debian-sections.aurora.json');
const README_LIMIT = 200 * 1024;

/**
 * Pictures of every view, in four themes, of a real run of the demo, into .cache/screenshots/workbench;
 * with --readme also the README's, into docs/images.
 */
await main(async () => {
  ensureDependencies();
  await build();
  prepareRuns();
  const readme = process.argv.includes('--readme');
  const env = { ...process.env, AURORA_SCREENSHOTS: WORKSPACE };
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const code = runNode(vitest, ['run', '--project', 'screenshots'], { env });
  if (code !== 0) return code;
  say('The pictures are in .cache/screenshots/workbench/.');
  if (readme) copyForReadme();
  return 0;
});

/** Two finished runs, so that there is something to compare; kept for the next time. */
function prepareRuns() {
  mkdirSync(WORKSPACE, { recursive: true });
  makeDemo(WORKSPACE);
  const runs = join(WORKSPACE, '.aurora/runs/debian-sections');
  const finished = existsSync(runs)
    ? readdirSync(runs).filter((id) => existsSync(join(runs, id, 'result.json'))).length
    : 0;
  const settings = [
    [],
    ['--set', 'adapter={"method":"lora","rank":2,"alpha":4,"targetModules":["query","value"]}'],
  ];
  for (const more of settings.slice(finished)) {
    say('Training a run to take pictures of …');
    const args = [join(ROOT, 'dist/cli.cjs'), 'train', EXPERIMENT, ...more];
    if (spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0)
      throw new Failure('The run for the pictures failed; its message is above.');
  }
}

function copyForReadme() {
  const to = join(ROOT, 'docs/images');
  mkdirSync(to, { recursive: true });
  for (const name of ['run', 'activations', 'budget', 'experiment']) {
    const from = join(ROOT, '.cache/screenshots/workbench', `${name}-dark.png`);
    const size = statSync(from).size;
    if (size > README_LIMIT)
      throw new Failure(`${from} has ${size} bytes; a picture of the README may have ${README_LIMIT}.`);
    cpSync(from, join(to, `${name}.png`));
  }
  say('The README’s pictures are in docs/images/.');
}
