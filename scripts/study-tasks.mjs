import { join } from 'node:path';
import { build } from './build.mjs';
import { main } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { fillPage, keptRun, resultOf, spread } from './lib/study/study.mjs';
import { taskData, taskMethods, TASKS } from './lib/study/tasks.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

/**
 * Five kinds of tasks: AuroRA r=2, LoRA r=2, LoRA r=8, and the head alone or the untrained model, three seeds each.
 * Data and finished runs are kept in .cache/study-tasks and not repeated. Writes its tables to docs/studies/tasks.md,
 * between the markers; the text around them is written by hand. The data need Debian 13's package index:
 * apt-get -o Acquire::Languages=en update.
 */
const SEEDS = [1, 2, 3];
const PAGE = join(ROOT, 'docs/studies/tasks.md');
const BEGIN = '<!-- tables: written by node scripts/study-tasks.mjs -->';
const END = '<!-- end of tables -->';

await main(async () => {
  ensureDependencies();
  await build();
  ensureUseLite();
  const { release, rows } = taskData();
  const results = {};
  for (const seed of SEEDS)
    for (const [task, { experiment = 'debian-sections', set }] of Object.entries(TASKS))
      for (const [name, settings] of Object.entries(taskMethods(experiment))) {
        const all = [...set, ...settings, `training.seed=${seed}`];
        const run = keptRun('study-tasks', `${task} ${name} ${seed}`, all, experiment);
        ((results[task] ??= {})[name] ??= []).push(resultOf(run));
      }
  fillPage(PAGE, BEGIN, END, [`Package index: ${release}. ${rows}`, ...tables(results)].join('\n\n'));
  return 0;
});

function tables(results) {
  return Object.entries(results).map(([task, byMethod]) => {
    const { metrics } = TASKS[task];
    const [first] = Object.values(byMethod)[0];
    const { answer, metric, value } = first.baseline;
    const constant = Object.entries(metrics)
      .filter(([, [name]]) => name === metric)
      .map(([title, [, scale, digits]]) => {
        const [label, unit = ''] = title.split(',');
        return ` Best constant answer (${answer}): ${label} ${scale({ [metric]: value }).toFixed(digits)}${unit}.`;
      });
    const rows = Object.entries(byMethod).map(([name, runs]) => {
      const cells = Object.values(metrics).map(([, of, digits]) =>
        spread(
          runs.map((r) => of(r.last)),
          digits,
        ),
      );
      const { adapters } = name === 'untrained' ? { adapters: 0 } : runs[0].trained;
      return `| ${[name, adapters.toLocaleString('en'), ...cells].join(' | ')} |`;
    });
    return [
      `**${task}**: ${first.last.examples.toLocaleString('en')} validation examples.${constant.join('')}`,
      '',
      `| method | adapter parameters | ${Object.keys(metrics).join(' | ')} |`,
      `| --- | ---: |${' ---: |'.repeat(Object.keys(metrics).length)}`,
      ...rows,
    ].join('\n');
  });
}
