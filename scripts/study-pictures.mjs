import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { main } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { writeContactSheet } from './lib/study/contact-sheet.mjs';
import { drawn } from './lib/study/drawn.mjs';
import { LABEL, share } from './lib/study/fashion-classifier.mjs';
import { fillPage, keptRun, resultOf, spread } from './lib/study/study.mjs';

/**
 * DreamBooth on a class that the small pipeline has never seen: AuroRA r=2, LoRA r=2 and LoRA r=8, three seeds each. The
 * learning rate of each method is chosen on other images and another seed. Finished runs and pictures are kept in
 * .cache/study-pictures. Writes docs/studies/pictures.png, and the tables of docs/studies/pictures.md between the markers;
 * the text around them is written by hand.
 */
const STUDY = 'study-pictures';
const PAGE = join(ROOT, 'docs/studies/pictures.md');
const SHEET = join(ROOT, 'docs/studies/pictures.png');
const BEGIN = '<!-- tables: written by node scripts/study-pictures.mjs -->';
const END = '<!-- end of tables -->';

const SEEDS = [1, 2, 3];
/** The other seed of the search. */
const OTHER_SEED = 9;
const RATES = [1e-3, 3e-3, 1e-2];
const EPOCHS = 50;
const STEPS = 400;
const METHODS = { 'AuroRA r=2': ['aurora', 2], 'LoRA r=2': ['lora', 2], 'LoRA r=8': ['lora', 8] };
const BAGS = join(ROOT, 'demo/data/fashion-bags');

/** The subject, and a class that the pipeline knew before. */
const PROMPTS = { bag: 'a photo of a bag', sneaker: 'a photo of a sneaker' };
/** From the same noise for all. */
const PICTURES = { bag: 32, sneaker: 16 };
const DRAWING = { steps: 20, guidance: 3, sampler: 'ddim', width: 32, height: 32 };

const settings = ([method, rank], rate, seed, split) => [
  `adapter.method=${method}`,
  `adapter.rank=${rank}`,
  `adapter.alpha=${2 * rank}`,
  `data.validation=${join(BAGS, split)}`,
  `training.learningRate=${rate}`,
  `training.seed=${seed}`,
  `training.epochs=${EPOCHS}`,
  `training.evaluateEvery=${STEPS}`,
  // The playground draws, after the run.
  'training.pictures.prompts=["a photo of a bag"]',
  'training.pictures.steps=1',
  `training.pictures.every=${STEPS}`,
];

/** The loss of the last step, so that nothing is chosen on the images that it is measured on. */
const lossOf = (run) => resultOf(run).last.loss;

await main(async () => {
  ensureDependencies();
  await build();
  const runOf = (name, ...of) => keptRun(STUDY, name, settings(...of), 'fashion-bags');
  const search = {};
  const results = {};
  for (const [name, method] of Object.entries(METHODS))
    search[name] = RATES.map((rate) =>
      lossOf(runOf(`search ${name} ${rate}`, method, rate, OTHER_SEED, 'validation')),
    );
  // One step at a rate that changes nothing.
  const before = settings(METHODS['LoRA r=2'], 1e-12, SEEDS[0], 'test');
  results.before = [
    await measured(keptRun(STUDY, 'before', [...before, 'training.maxSteps=1'], 'fashion-bags')),
  ];
  for (const [name, method] of Object.entries(METHODS)) {
    const rate = RATES[search[name].indexOf(Math.min(...search[name]))];
    results[name] = [];
    for (const seed of SEEDS)
      results[name].push(await measured(runOf(`${name} ${seed}`, method, rate, seed, 'test')));
  }
  await writeContactSheet(SHEET, sheet(results));
  fillPage(PAGE, BEGIN, END, [searchTable(search), table(results)].join('\n\n'));
});

/** Its loss, and the shares of its pictures that the classifier takes for what was asked for, in percent. */
async function measured(run) {
  const prompts = Object.entries(PROMPTS).map(([name, text]) => [
    name,
    { text, seeds: [...Array(PICTURES[name]).keys()] },
  ]);
  const paths = await drawn(run, Object.fromEntries(prompts), DRAWING);
  const result = { loss: lossOf(run), parameters: resultOf(run).trained.adapters, paths };
  for (const name of Object.keys(PROMPTS)) result[name] = 100 * (await share(paths[name], LABEL[name]));
  return result;
}

/** Real bags, then what the first seed of each method draws. */
function sheet(results) {
  const columns = 12;
  const real = readdirSync(join(BAGS, 'train')).map((name) => join(BAGS, 'train', name));
  const rows = Object.keys(PROMPTS).flatMap((name) =>
    Object.values(results).map(([first]) => first.paths[name]),
  );
  return [real, ...rows].map((row) => row.slice(0, columns));
}

function searchTable(search) {
  const rows = Object.entries(search).map(([name, losses]) => {
    const best = Math.min(...losses);
    const cells = losses.map((loss) => (loss === best ? `**${loss.toFixed(4)}**` : loss.toFixed(4)));
    return `| ${[name, ...cells].join(' | ')} |`;
  });
  return [
    `Search: validation loss after ${STEPS} steps, seed ${OTHER_SEED}.`,
    '',
    `| method | ${RATES.map((rate) => rate.toExponential()).join(' | ')} |`,
    `| --- |${' ---: |'.repeat(RATES.length)}`,
    ...rows,
  ].join('\n');
}

function table(results) {
  const number = (values, digits) => (values.length > 1 ? spread(values, digits) : values[0].toFixed(digits));
  const rows = Object.entries(results).map(([name, runs]) => {
    const shares = Object.keys(PROMPTS).map((prompt) =>
      number(
        runs.map((r) => r[prompt]),
        1,
      ),
    );
    const parameters = name === 'before' ? '' : runs[0].parameters.toLocaleString('en');
    const loss = number(
      runs.map((r) => r.loss),
      4,
    );
    return `| ${[name, parameters, loss, ...shares].join(' | ')} |`;
  });
  return [
    `Mean ± standard deviation over the seeds ${SEEDS.join(', ')}.`,
    '',
    '| method | adapter parameters | test loss | bags that are bags, % | sneakers that are sneakers, % |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows,
  ].join('\n');
}
