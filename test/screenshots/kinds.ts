import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { TaskName } from '../../src/experiment/tasks/registry';
import { png } from '../png';

const ROOT = resolve(__dirname, '../..');
const USE_LITE = join(ROOT, '.cache/use-lite');
const LLAMA = join(ROOT, 'demo/models/debian-llama');
const FIXTURES = join(ROOT, 'test/fixtures');

/** A small experiment of one kind of task, and where the wizard finds what it asks for. */
export interface Kind {
  name: string;
  type: TaskName;
  model: Record<string, string>;
  settings: { model?: object; task: object; data?: object; adapter: object; training?: object };
  /** The questions of *New Experiment* up to its settings, and what is picked; without, it is not asked. */
  steps?: [question: string, pick: string][];
  /** The files of its data, by name. */
  files: () => Record<string, string | Uint8Array>;
}

interface Package {
  text: string;
  label: string;
  package: string;
}

/** Packages of six sections: enough for a picture, few enough for seconds. */
const SECTIONS = ['games', 'graphics', 'mail', 'math', 'sound', 'web'];
function packages(split: 'train' | 'validation', count: number): Package[] {
  const packed = readFileSync(join(ROOT, `demo/data/debian-sections-${split}.jsonl.gz`));
  const rows = gunzipSync(packed).toString('utf8').trimEnd().split('\n');
  const all = rows.map((line) => JSON.parse(line) as Package).filter((p) => SECTIONS.includes(p.label));
  const every = Math.max(1, Math.floor(all.length / count));
  return all.filter((_, i) => i % every === 0).slice(0, count);
}

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Training and validation rows made of packages. */
const splits =
  (train: number, row: (p: Package, i: number) => object): Kind['files'] =>
  () => ({
    'train.jsonl': lines(packages('train', train).map(row)),
    'validation.jsonl': lines(packages('validation', 120).map(row)),
  });

const summary = ({ text }: Package): string => text.slice(0, text.indexOf('. ') + 1) || text;
/** The topics of texts, besides their sections. */
const TOPICS = ['library', 'game', 'server', 'tool', 'plugin', 'image', 'audio'];
const ENCODER = {
  [`${USE_LITE}/model.onnx`]: 'model.onnx',
  [`${USE_LITE}/tokenizer.json`]: 'tokenizer.json',
};
const LANGUAGE = Object.fromEntries(
  ['model.onnx', 'tokenizer.json', 'tokenizer_config.json', 'config.json'].map((f) => [`${LLAMA}/${f}`, f]),
);
const MASKED = {
  [`${FIXTURES}/reference/more/masked-language-model.onnx`]: 'model.onnx',
  [`${FIXTURES}/data/wordpiece/tokenizer.json`]: 'tokenizer.json',
  [`${FIXTURES}/data/wordpiece/tokenizer_config.json`]: 'tokenizer_config.json',
};
const BERT = { ...MASKED, [`${FIXTURES}/reference/bert.onnx`]: 'model.onnx' };
delete (BERT as Record<string, string>)[`${FIXTURES}/reference/more/masked-language-model.onnx`];
const ATTENTION = { method: 'aurora', rank: 2, targetModules: ['q_proj', 'v_proj'] };

const SENTENCES = [
  ['the', 'cats', 'played', '!'],
  ['unaffable', ',', 'the', 'cat'],
  ['the', 'unaffable', 'cats', 'play', 'the', 'play'],
  ['playing', ',', 'the', 'play'],
];

/** Five pictures of bags, which the pipeline has never seen. */
const bags: Kind['files'] = () =>
  Object.fromEntries(
    readdirSync(join(ROOT, 'demo/data/fashion-bags/train'))
      .slice(0, 5)
      .map((name) => [`bags/${name}`, readFileSync(join(ROOT, 'demo/data/fashion-bags/train', name))]),
  );

/** Every kind but that of the demo, on data that it can learn a little of in seconds. */
export const KINDS: Kind[] = [
  {
    name: 'choices',
    type: 'multiple-choice',
    steps: [
      ['Select the model to adapt', 'choices'],
      ['kind of task', 'Multiple choice'],
      ['training questions', 'Enter'],
      ['with the questions', 'Enter'],
      ['with the choices', 'OK'],
      ['right answers', 'Enter'],
      ['validation data', 'Enter'],
    ],
    model: LANGUAGE,
    settings: {
      model: { maxLength: 128 },
      task: { head: 'none' },
      data: { promptTemplate: '{text}\nSection:' },
      adapter: ATTENTION,
      training: { epochs: 2 },
    },
    files: splits(160, (p, i) => {
      const others = SECTIONS.filter((s) => s !== p.label);
      const choices = [p.label, ...[0, 1, 2].map((k) => others[(i + k) % others.length])].sort();
      return { question: summary(p), choices, answer: p.label, package: p.package };
    }),
  },
  {
    name: 'texts',
    type: 'causal-language-modeling',
    steps: [
      ['Select the model to adapt', '· texts'],
      ['kind of task', 'Enter'],
      ['training texts', 'Enter'],
      ['the prompts', 'Enter'],
      ['completions', 'section'],
      ['validation data', 'Enter'],
    ],
    model: LANGUAGE,
    settings: {
      model: { maxLength: 128 },
      task: { head: 'none' },
      data: { textColumn: 'description', completionColumn: 'section', promptTemplate: '{text}\nSection:' },
      adapter: ATTENTION,
      training: { epochs: 2 },
    },
    files: splits(160, (p) => ({ description: summary(p), section: ` ${p.label}` })),
  },
  {
    name: 'numbers',
    type: 'text-regression',
    model: ENCODER,
    settings: {
      model: { maxLength: 48 },
      task: { head: 'linear', pooling: 'mean' },
      data: { labelColumn: 'words' },
      adapter: { method: 'aurora', rank: 2, targetModules: ['query', 'value'] },
      training: { epochs: 2 },
    },
    files: splits(160, (p) => ({ text: p.text, words: p.text.split(/\s+/).length })),
  },
  {
    name: 'label-sets',
    type: 'multi-label-classification',
    steps: [
      ['Select the model to adapt', 'label-sets'],
      ['kind of task', 'Multi-label'],
      ['hidden states', 'Enter'],
      ['training texts', 'Enter'],
      ['text column', 'Enter'],
      ['with the labels', 'OK'],
      ['validation data', 'Enter'],
    ],
    model: ENCODER,
    settings: {
      model: { maxLength: 48 },
      task: { head: 'linear', pooling: 'mean' },
      data: { labelColumn: 'labels' },
      adapter: { method: 'aurora', rank: 2, targetModules: ['query', 'value'] },
      training: { epochs: 2 },
    },
    files: splits(240, (p) => ({
      text: p.text,
      labels: [p.label, ...TOPICS.filter((topic) => p.text.toLowerCase().includes(topic))],
    })),
  },
  {
    name: 'images',
    type: 'image-classification',
    steps: [
      ['Select the model to adapt', '· images'],
      ['kind of task', 'Enter'],
      ['training images', 'Enter'],
      ['validation data', 'Enter'],
      ['test set', 'Enter'],
    ],
    model: Object.fromEntries(
      ['model.onnx', 'preprocessor_config.json'].map((f) => [join(ROOT, 'demo/models/fashion-vit', f), f]),
    ),
    settings: {
      task: { head: 'linear', pooling: 'first-token' },
      data: { train: 'train', validation: 'validation' },
      adapter: { method: 'aurora', rank: 2, targetModules: ['query', 'value'] },
      training: { epochs: 2 },
    },
    files: drawings,
  },
  {
    name: 'pictures',
    type: 'subject-generation',
    steps: [
      ['Select the model to adapt', '· pictures'],
      ['kind of task', 'Enter'],
      ['images of the subject', 'bags'],
      ['The prompt of all images', 'Enter'],
      ['images of others of its class', 'None'],
    ],
    model: { [join(ROOT, 'demo/models/fashion-pictures')]: 'fashion-pictures' },
    settings: {
      model: { path: 'fashion-pictures' },
      task: { instancePrompt: 'a photo of a bag', resolution: 32 },
      data: { train: 'bags', validation: undefined },
      adapter: { method: 'aurora', rank: 2 },
      training: {
        epochs: 100,
        maxSteps: 200,
        batchSize: 4,
        learningRate: 0.005,
        evaluateEvery: 20,
        activationsEvery: 0,
        pictures: {
          prompts: ['a photo of a bag', 'a photo of a sneaker'],
          every: 20,
          steps: 20,
          guidance: 3,
        },
      },
    },
    files: bags,
  },
  {
    name: 'spans',
    type: 'token-classification',
    model: BERT,
    settings: {
      model: { maxLength: 16 },
      task: { head: 'linear' },
      adapter: { method: 'aurora', rank: 2, targetModules: ['query', 'value'] },
      training: { epochs: 4 },
    },
    files: () => {
      const row = (_: unknown, i: number) => {
        const tokens = SENTENCES[i % 4];
        return {
          tokens,
          tags: tokens.map((w, k) => (w.startsWith('cat') ? 'B-PET' : k % 3 ? 'O' : 'B-THING')),
        };
      };
      const rows = (count: number) => lines(Array.from({ length: count }, row));
      return { 'train.jsonl': rows(120), 'validation.jsonl': rows(40) };
    },
  },
  {
    name: 'masked',
    type: 'masked-language-modeling',
    model: MASKED,
    settings: {
      model: { maxLength: 16 },
      task: { head: 'none' },
      adapter: { method: 'aurora', rank: 2, targetModules: ['query', 'value', 'decoder'] },
      training: { epochs: 4 },
    },
    files: () => {
      const rows = (count: number) =>
        lines(Array.from({ length: count }, (_, i) => ({ text: SENTENCES[i % 4].join(' ') })));
      return { 'train.jsonl': rows(120), 'validation.jsonl': rows(40) };
    },
  },
];

/** Folders of pictures: circles, squares and stripes. */
function drawings(): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  const inside: Record<string, (x: number, y: number, r: number) => boolean> = {
    circle: (x, y, r) => Math.hypot(x - 14, y - 14) < r,
    square: (x, y, r) => Math.max(Math.abs(x - 14), Math.abs(y - 14)) < r,
    stripes: (x, _, r) => x % r < r / 2,
  };
  for (const [split, count, begin] of [
    ['train', 60, 0],
    ['validation', 20, 100],
    ['test', 20, 200],
  ] as const)
    for (const [label, has] of Object.entries(inside))
      for (let i = 0; i < count; i++) {
        const [r, shade] = [6 + (i % 7), 120 + ((i * 37) % 120)];
        files[`${split}/${label}/${i}.png`] = png(28, 28, (x, y) => {
          const noise = (x * 7 + y * 13 + (begin + i) * 29) % 40;
          return has(x, y, r) ? [shade + noise / 2, noise, 90] : [noise, noise, noise];
        });
      }
  return files;
}

/** Writes each kind into a separate folder below `workspace`, and trains it. */
export function makeKinds(workspace: string, kinds: readonly Kind[] = KINDS): void {
  rmSync(workspace, { recursive: true, force: true });
  for (const kind of kinds) {
    const folder = join(workspace, kind.name);
    mkdirSync(folder, { recursive: true });
    for (const [from, to] of Object.entries(kind.model)) cpSync(from, join(folder, to), { recursive: true });
    for (const [name, content] of Object.entries(kind.files())) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const { model, task, data, adapter, training } = kind.settings;
    const experiment = {
      name: kind.name,
      model: { path: 'model.onnx', ...model },
      task: { type: kind.type, ...task },
      data: { train: 'train.jsonl', validation: 'validation.jsonl', ...data },
      adapter,
      training: { batchSize: 8, learningRate: 0.01, seed: 1, activationsEvery: 10, ...training },
    };
    const file = join(folder, `${kind.name}.aurora.json`);
    writeFileSync(file, `${JSON.stringify(experiment, null, 2)}\n`);
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'dist/cli.cjs'), 'train', file], {
      encoding: 'utf8',
    });
    // 27: trained, but no better than the most frequent answer.
    if (status !== 0 && status !== 27) throw new Error(`${kind.name} does not train: ${stderr}`);
  }
}
