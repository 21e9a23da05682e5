/** The runs of the committed studies, for scripts/study-alarms.mjs. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ROOT } from '../run.mjs';
import { METHODS, RECIPE } from './first.mjs';
import { WAYS } from './merge-gap.mjs';
import { taskMethods, TASKS } from './tasks.mjs';

/** Every eighth row of the large data sets, and every second of the others: as many epochs, with fewer steps. */
const PART = 8;
const SMALL_PART = 2;
const FOLDER = join(ROOT, '.cache/study-alarms');
const SPLITS = ['train', 'validation'];
const FILES = {
  'Debian sections': (split) => join(ROOT, `demo/data/debian-sections-${split}.jsonl.gz`),
  SpamAssassin: (split) => join(ROOT, `.cache/spam-assassin/${split}.jsonl`),
};

/**
 * Each setting of each study's tables once, with seed 1. The first ones say most.
 * @returns {{ name: string, experiment: string, set: string[], rejected?: true }[]}
 */
export const alarmRuns = () => {
  const demos = demo();
  const others = [...first(), ...tasks(), ...mergeGap(), ...quantized(), ...mixed()];
  const isHigh = ({ name }) => /[13]e-2/.test(name);
  return [...demos.filter(isHigh), ...others, ...demos.filter((run) => !isHigh(run))];
};

/**
 * The runs of its table, `rejected` where the rate search took another rate. AuroRA r=4 at the highest rate of all,
 * which the search took for SpamAssassin, is trained in full and with all its seeds; LoRA of the ranks that explode at
 * that rate on a part of the rows, also in full.
 */
function demo() {
  const [header, ...rows] = readFileSync(join(ROOT, 'docs/studies/demo/runs.csv'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => [...line.matchAll(/("[^"]*"|[^,]*)(?:,|$)/g)].map((m) => m[1].replaceAll('"', '')));
  const whole = (run) => run.method === 'aurora' && run.rank === '4' && run.learning_rate === '0.03';
  const explodes = (run) =>
    run.method === 'lora' && ['8', '16'].includes(run.rank) && run.learning_rate === '0.03';
  const isChosen = (run) => !run.group.includes('learning rate');
  return rows
    .map((row) => Object.fromEntries(header.map((name, i) => [name, row[i]])))
    .filter((run) => run.seed === '1' || whole(run))
    .sort((a, b) => whole(b) * isChosen(b) - whole(a) * isChosen(a) || whole(b) - whole(a))
    .flatMap((run) => (explodes(run) ? [{ ...run, full: true }, run] : [{ ...run, full: whole(run) }]))
    .map((run) => {
      const [data, file] = run.data.startsWith('spam')
        ? ['SpamAssassin', 'spam-assassin']
        : ['Debian sections', 'debian-sections'];
      const [method] = run.group.split(',');
      const rate = Number(run.learning_rate).toExponential();
      const adapter = `${run.method === 'none' ? '' : `,"rank":${run.rank},"alpha":${2 * run.rank},"targetModules":["query","value"]`}`;
      return {
        name: `demo.md: ${data}, ${method}, ${rate}, seed ${run.seed}${run.full ? ', all rows' : ''}`,
        experiment: `studies/${file}`,
        set: [
          ...(run.full ? [] : part(data)),
          `adapter={"method":"${run.method}"${adapter}}`,
          `training.learningRate=${run.learning_rate}`,
          `training.seed=${run.seed}`,
          // More often than the study, which only evaluates at the end.
          'training.evaluateEvery=epoch',
        ],
        ...(!isChosen(run) && { rejected: true }),
      };
    });
}

const onBoth = (study, ways) =>
  Object.keys(FILES).flatMap((data) =>
    Object.entries(ways).map(([way, settings]) => ({
      name: `${study}: ${data}, ${way}`,
      experiment: 'debian-sections',
      set: [...RECIPE, ...part(data), ...settings],
    })),
  );

const first = () =>
  onBoth(
    'first.md',
    Object.fromEntries(Object.entries(METHODS).map(([name, a]) => [name, [`adapter=${JSON.stringify(a)}`]])),
  );

/** Without the two that the first study has. */
function mergeGap() {
  const known = ['as in the paper', 'LoRA r=2, for comparison'];
  const own = Object.fromEntries(Object.entries(WAYS).filter(([way]) => !known.includes(way)));
  return onBoth('merge-gap.md', own);
}

/** Without the untrained language model, which has no steps. Images are in Parquet, so they are trained for fewer steps. */
const tasks = () =>
  Object.entries(TASKS).flatMap(([task, { experiment = 'debian-sections', set }]) =>
    Object.entries(taskMethods(experiment))
      .filter(([name]) => name !== 'untrained')
      .map(([name, settings]) => ({
        name: `tasks.md: ${task}, ${name}`,
        experiment,
        set: [
          ...(experiment === 'fashion'
            ? [...set, 'training.maxSteps=60', 'training.evaluateEvery=30']
            : experiment === 'debian-summaries'
              ? [...set, ...SUMMARIES()]
              : set.map((setting) => shortened(setting))),
          ...settings,
        ],
      })),
  );

const quantized = () =>
  [8, 4].map((bits) => ({
    name: `quantization.md: ${bits} bits`,
    experiment: 'debian-summaries',
    set: [...SUMMARIES(), `model.quantize=${bits}`, 'training.epochs=1', 'training.evaluateEvery=24'],
  }));

const mixed = () => [
  {
    name: 'mixed-precision.md: mixed',
    experiment: 'debian-sections',
    set: [...part('Debian sections'), 'training.precision=mixed', 'training.maxSteps=60'],
  },
];

/** The settings that name a part of the rows, which are written once. */
const part = (data) =>
  SPLITS.map((split) => `data.${split}=${written(`${data}-${split}`, FILES[data](split), PART)}`);

const SUMMARIES = () =>
  SPLITS.map((split) => {
    const path = join(ROOT, `demo/data/debian-summaries-${split}.jsonl.gz`);
    return `data.${split}=${written(`summaries-${split}`, path, SMALL_PART)}`;
  });

/** A setting, with a part of the file that it names. */
function shortened(setting) {
  const [, key, path] = /^(data\.train|data\.validation)=(.*)$/.exec(setting) ?? [];
  return path === undefined ? setting : `${key}=${written(basename(path, '.jsonl'), path, SMALL_PART)}`;
}

function written(name, path, every) {
  const out = join(FOLDER, 'data', `${name.replace(' ', '-')}.jsonl`);
  if (existsSync(out)) return out;
  const bytes = readFileSync(path);
  const rows = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().trim().split('\n');
  mkdirSync(join(FOLDER, 'data'), { recursive: true });
  writeFileSync(out, `${rows.filter((_, i) => i % every === 0).join('\n')}\n`);
  return out;
}
