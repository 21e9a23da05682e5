import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { positive } from './lib/bench/cases.mjs';
import { buildPrograms } from './lib/bench/programs.mjs';
import { main, say } from './lib/console.mjs';
import { machine } from './lib/machine.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { plannedRuns } from './lib/study/linear.mjs';
import { keptRecords, measured } from './lib/study/linear-measure.mjs';
import { page } from './lib/study/linear-report.mjs';
import { isTrained, trainedRun } from './lib/study/linear-runs.mjs';
import { fillPage } from './lib/study/study.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

const HELP = `Usage: node scripts/study-linear.mjs [--seeds 3] [--only PATTERN] [--train | --trained | --page] [--no-build]

How much of an AuroRA adapter is linear: trains AuroRA and LoRA on the four demos, measures AuroRA with σ replaced by its linear
fit, and writes docs/studies/linear.md. Runs are kept in .cache/study-linear, and what was measured of each in
docs/studies/linear/runs.json, which has one line for each. Neither is done twice: the same command continues.

  --only PATTERN  only runs whose name matches the regular expression
  --train         train, but measure nothing
  --trained       measure the runs that have been trained, and train none
  --page          only write the page
`;
const RECORDS = join(ROOT, 'docs/studies/linear/runs.json');
const PAGE = join(ROOT, 'docs/studies/linear.md');
const MARKS = ['<!-- numbers: written by scripts/study-linear.mjs -->', '<!-- end of numbers -->'];

await main(async () => {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '3' },
      only: { type: 'string', default: '' },
      train: { type: 'boolean' },
      trained: { type: 'boolean' },
      page: { type: 'boolean' },
      'no-build': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  ensureDependencies();
  const planned = plannedRuns(positive('seeds', values.seeds));
  if (!values.page) {
    if (!values['no-build']) await build();
    if (!values.train)
      await buildPrograms(['plain-fit'], ['onnxruntime-node', 'webgpu', 'sharp', '@tensorflow/*']);
    ensureUseLite();
    work(planned, values);
  }
  if (values.train) return;
  const records = keptRecords(RECORDS);
  fillPage(PAGE, ...MARKS, page([...records.values()], machine(), planned.length));
});

function work(planned, { only, train, trained }) {
  const records = keptRecords(RECORDS);
  const chosen = planned.filter(({ name }) => new RegExp(only).test(name) && !records.has(name));
  for (const [i, run] of chosen.entries()) {
    if (trained && !isTrained(run.name)) continue;
    const place = `${i + 1} of ${chosen.length}`;
    const folder = trainedRun(run, place);
    if (train) continue;
    // `aurora nonlinearity` compares a run with the one beside it that trained the head alone.
    const head = planned.find(
      ({ method, task, seed }) => method === 'head' && task === run.task && seed === run.seed,
    );
    if (run.method === 'aurora' && head) trainedRun(head, place);
    records.set(run.name, measured(run, folder));
    keep(planned.flatMap(({ name }) => records.get(name) ?? []));
  }
}

/** In the order of the plan, so that it does not depend on when they were measured. */
function keep(records) {
  mkdirSync(dirname(RECORDS), { recursive: true });
  const temporary = `${RECORDS}.tmp`;
  writeFileSync(temporary, `[\n${records.map((r) => JSON.stringify(r)).join(',\n')}\n]\n`);
  renameSync(temporary, RECORDS);
  say(`${records.length} runs are in ${RECORDS}`);
}
