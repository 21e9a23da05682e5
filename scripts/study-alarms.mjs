import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { positive } from './lib/bench/cases.mjs';
import { buildPrograms } from './lib/bench/programs.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { ROOT, runNode } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { alarmRuns } from './lib/study/alarm-runs.mjs';
import { ensureSpam } from './lib/study/study.mjs';
import { taskData } from './lib/study/tasks.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

const HELP = `Usage: node scripts/study-alarms.mjs [--only TEXT] [--minutes N] [--again] [--cost] [--no-build]

Trains each setting of the committed studies once (docs/alarms.md says on which rows), and adds what alarms follow from to
test/fixtures/alarms/studies.json, run by run. Those that it has are not repeated, except with --again. --only trains those
whose name contains TEXT; --minutes starts none after that time. --cost trains nothing, and prints how long watching takes
a step.
`;
const RUNS = join(ROOT, '.cache/study-alarms/runs');
const OUT = join(ROOT, 'test/fixtures/alarms/studies.json');

await main(async () => {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      minutes: { type: 'string', default: '600' },
      again: { type: 'boolean' },
      cost: { type: 'boolean' },
      'no-build': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const end = performance.now() + 60_000 * positive('minutes', values.minutes);
  ensureDependencies();
  if (values.cost) return cost();
  if (!values['no-build']) await build();
  await buildPrograms(['alarm-curves'], ['onnxruntime-node', 'webgpu', 'sharp', '@tensorflow/*']);
  ensureUseLite();
  ensureSpam();
  taskData();
  const runs = alarmRuns().filter(({ name }) => name.includes(values.only));
  const known = new Map(JSON.parse(readFileSync(OUT, 'utf8')).map((run) => [run.name, run]));
  for (const run of runs) {
    if (performance.now() > end || (known.has(run.name) && !values.again)) continue;
    const { name, rejected } = run;
    known.set(name, { name, ...(rejected && { rejected }), ...recorded(run) });
    const lines = [...known.values()].map((found) => JSON.stringify(found));
    writeFileSync(OUT, `[\n${lines.join(',\n')}\n]\n`);
  }
  say(`${runs.filter(({ name }) => known.has(name)).length} of ${runs.length} runs are in ${OUT}`);
});

async function cost() {
  await buildPrograms(['alarm-watch'], []);
  return runNode(join(ROOT, '.cache/bench/alarm-watch.cjs'), [OUT]);
}

/** The records of a run from which its alarms follow. */
function recorded(run) {
  say(run.name);
  const args = [join(ROOT, '.cache/bench/alarm-curves.cjs'), `demo/${run.experiment}.aurora.json`, RUNS];
  const began = performance.now();
  const { status, stdout } = spawnSync(process.execPath, [...args, ...run.set], {
    ...{ cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'inherit'] },
  });
  rmSync(RUNS, { recursive: true, force: true });
  if (status !== 0) throw new Failure(`The run "${run.name}" failed.`);
  const { record, raised } = JSON.parse(stdout.trim().split('\n').at(-1));
  const seconds = Math.round((performance.now() - began) / 1000);
  const alarms = raised.map(({ alarm, step }) => `${alarm} at ${step}`).join(', ') || 'no alarm';
  console.log(`  ${record.loss.length} steps in ${seconds} s: ${alarms}`);
  return record;
}
