import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { main, say } from './lib/console.mjs';
import { releaseName } from './lib/debian-index.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { fillPage, keptRun, resultOf, spread } from './lib/study/study.mjs';
import { writeTaskData } from './lib/study/task-data.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

/**
 * Five kinds of tasks: AuroRA r=2, LoRA r=2, LoRA r=8, and the head alone or the untrained model, three seeds each.
 * Data and finished runs are kept in .cache/study-tasks and not repeated. Writes its tables to docs/studies/tasks.md,
 * between the markers; the text around them is written by hand. The data need Debian 13's package index:
 * apt-get -o Acquire::Languages=en update.
 */
const SEEDS = [1, 2, 3];
const FOLDER = join(ROOT, '.cache/study-tasks-data');

/** Of the text tasks, which share the demo's model. */
const RECIPE = ['training.epochs=2', 'model.maxLength=48'];
const files = (name) =>
  ['train', 'validation'].map((split) => `data.${split}=${FOLDER}/${name}-${split}.jsonl`);

const percent = (name) => [name, (m) => 100 * m[name], 1];
/** Each with its experiment in demo/, changed settings, and metrics: a name, a value, decimals. */
const TASKS = {
  'Image classification': {
    experiment: 'fashion',
    set: ['training.epochs=2'],
    metrics: { 'accuracy, %': percent('accuracy'), 'macro F1, %': percent('macroF1') },
  },
  Regression: {
    set: [...RECIPE, ...files('size'), 'task.type=text-regression', 'data.labelColumn=size'],
    metrics: {
      Pearson: ['pearson', (m) => m.pearson, 3],
      Spearman: ['spearman', (m) => m.spearman, 3],
      RMSE: ['rmse', (m) => m.rmse, 3],
    },
  },
  'Several labels': {
    set: [...RECIPE, ...files('tags'), 'task.type=multi-label-classification', 'data.labelColumn=tags'],
    metrics: {
      'micro F1, %': percent('microF1'),
      'macro F1, %': percent('macroF1'),
      'mean average precision, %': percent('meanAveragePrecision'),
    },
  },
  'Pairs of texts': {
    set: [
      ...RECIPE,
      ...files('pairs'),
      'data.textColumn=summary',
      'data.textPairColumn=description',
      'data.labelColumn=match',
    ],
    metrics: { 'accuracy, %': percent('accuracy'), 'MCC × 100': ['matthews', (m) => 100 * m.matthews, 1] },
  },
  'Causal language modeling': {
    experiment: 'debian-summaries',
    set: ['training.epochs=1'],
    metrics: {
      perplexity: ['perplexity', (m) => m.perplexity, 1],
      'token accuracy, %': percent('tokenAccuracy'),
    },
  },
};

const PAGE = join(ROOT, 'docs/studies/tasks.md');
const BEGIN = '<!-- tables: written by node scripts/study-tasks.mjs -->';
const END = '<!-- end of tables -->';

await main(async () => {
  ensureDependencies();
  await build();
  ensureUseLite();
  const { release, rows } = data();
  const results = {};
  for (const seed of SEEDS)
    for (const [task, { experiment = 'debian-sections', set }] of Object.entries(TASKS))
      for (const [name, settings] of Object.entries(methods(experiment))) {
        const all = [...set, ...settings, `training.seed=${seed}`];
        const run = keptRun('study-tasks', `${task} ${name} ${seed}`, all, experiment);
        ((results[task] ??= {})[name] ??= []).push(resultOf(run));
      }
  fillPage(PAGE, BEGIN, END, [`Package index: ${release}. ${rows}`, ...tables(results)].join('\n\n'));
  return 0;
});

/** Made once, so that all runs have the same data. */
function data() {
  const note = join(FOLDER, 'made.json');
  if (!existsSync(note)) {
    say('Writing data from the package index …');
    const counts = Object.entries(writeTaskData(FOLDER)).map(
      ([name, { train, validation }]) => `${name}: ${train} to train, ${validation} for validation`,
    );
    writeFileSync(note, JSON.stringify({ release: releaseName(), rows: `${counts.join('; ')}.` }));
  }
  return JSON.parse(readFileSync(note, 'utf8'));
}

/** On the layers that the experiment adapts. One step at a rate of 0 leaves the language model untrained. */
function methods(experiment) {
  const adapter = (method, rank) => [
    `adapter.method=${method}`,
    `adapter.rank=${rank}`,
    `adapter.alpha=${2 * rank}`,
  ];
  const without =
    experiment === 'debian-summaries'
      ? { untrained: [...adapter('lora', 2), 'training.maxSteps=1', 'training.warmupRatio=1'] }
      : { 'head only': ['adapter={"method":"none"}'] };
  return {
    ...without,
    'LoRA r=2': adapter('lora', 2),
    'AuroRA r=2': adapter('aurora', 2),
    'LoRA r=8': adapter('lora', 8),
  };
}

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
