import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundles, PROGRAMS } from '../bundles.mjs';
import { Failure } from '../console.mjs';
import { ROOT } from '../run.mjs';
import { FOLDER as BENCH } from './cases.mjs';

/** Programs, models and experiments of this benchmark; ignored by git. */
export const FOLDER = join(BENCH, 'language');
const DEMO = join(ROOT, 'demo');
const MODEL = join(DEMO, 'models', 'debian-llama');

/** Bundles its programs. Needs the dependencies. */
export async function buildLanguage() {
  // The leftovers of an interrupted run.
  rmSync(FOLDER, { recursive: true, force: true });
  const esbuild = await import('esbuild');
  const [host] = bundles(FOLDER, {
    programs: {
      epoch: 'bench/epoch.ts',
      generation: 'bench/generation.ts',
      'schema-validator': PROGRAMS['schema-validator'],
    },
  });
  await esbuild.build(host).catch(() => {
    throw new Failure('The benchmark could not be built; the errors are above.');
  });
}

/** Texts by how long they are, each with a batch of about as many tokens, and two lengths of rows. */
const TEXTS = [
  {
    what: "the demo's summaries alone",
    data: { textColumn: 'completion' },
    batchSize: 112,
    lengths: [64, 176],
  },
  {
    what: "the demo's prompts with their summaries",
    data: { textColumn: 'prompt', completionColumn: 'completion' },
    batchSize: 16,
    lengths: [176, 512],
  },
];

/**
 * The experiments of each set of texts, on the language demo's model and data.
 * @returns {{ what: string, texts: number, sides: { name: string, experiment: string }[] }[]}
 */
export const packingCases = () =>
  TEXTS.map(({ what, data, batchSize, lengths }, i) => {
    const [short, long] = lengths;
    const side = (name, maxLength, training) => ({
      name,
      experiment: writeExperiment(`packing-${i}-${name.replaceAll(' ', '-')}`, {
        model: { path: join(MODEL, 'model.onnx'), maxLength },
        data: {
          train: join(DEMO, 'data/debian-summaries-train.jsonl.gz'),
          validation: join(DEMO, 'data/debian-summaries-validation.jsonl.gz'),
          ...data,
        },
        training: { batchSize, ...training },
      }),
    });
    return {
      what,
      texts: batchSize,
      sides: [
        // The case to which the others are compared.
        side('groupByLength', short, { groupByLength: true }),
        side('random batches', short, { groupByLength: false }),
        side(`packed into rows of ${short} tokens`, short, { packing: true }),
        side(`packed into rows of ${long} tokens`, long, { packing: true }),
      ],
    };
  });

/** The demo's model with a cache, as the tests have it: a graph that reads its weights from the demo's file. */
export function generationExperiment() {
  const folder = join(FOLDER, 'with-past');
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(ROOT, 'test/fixtures/past/model.onnx'), join(folder, 'model.onnx'));
  copyFileSync(join(MODEL, 'model.onnx'), join(folder, 'base.onnx'));
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json'])
    copyFileSync(join(MODEL, name), join(folder, name));
  return writeExperiment('generation', {
    model: { path: join(folder, 'model.onnx'), maxLength: 160 },
    data: { train: join(DEMO, 'data/debian-sections-validation.jsonl.gz'), textColumn: 'text' },
    // As many beams are written at once.
    training: { batchSize: 16 },
  });
}

/** With the demo's adapter. */
function writeExperiment(name, { training, ...content }) {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `${name}.aurora.json`);
  const whole = {
    ...content,
    task: { type: 'causal-language-modeling', head: 'none' },
    adapter: {
      method: 'aurora',
      rank: 2,
      alpha: 4,
      targetModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
    },
    training: { learningRate: 1e-3, seed: 1, ...training },
  };
  writeFileSync(path, JSON.stringify(whole));
  return path;
}
