import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadModelFrom } from '../../src/architectures/load';
import { modelSource } from '../../src/architectures/model-source';
import { readImage } from '../../src/data/images/decode-image';
import { readRows } from '../../src/data/table/rows';
import { chatTemplate } from '../../src/data/text/chat';
import { readTokenizerFiles } from '../../src/data/text/tokenizer-files';
import { openParquet } from '../../src/table/parquet';
import { dictionary, page, rawParquet, run } from '../unit/data/table/raw-parquet';
import { loadTokenizer } from '../../src/data/text/tokenizer';
import { readDataHead } from '../../src/extension/language/data-head';
import { ExperimentText } from '../../src/runs/experiment/experiment-text';
import { textFindings } from '../../src/extension/language/checks/check-text';
import { Snapshots } from '../../src/extension/panels/activations/layer-view';
import { loadModel } from '../../src/graph/file/load';
import { prepareModel } from '../../src/graph/prepare';
import { readSafetensors } from '../../src/graph/file/safetensors';
import { summarize } from '../../src/graph/summary';
import { checkWithTrials, parseExperiment } from '../../src/runs/experiment/load';
import { readPredictions } from '../../src/runs/predictions';
import { readRunSummary } from '../../src/runs/run-summary';
import { readRun } from '../read-run';
import { studyRun } from '../../src/runs/run-in-study';
import { lookAtTrial } from '../../src/runs/sweep/look';
import { readSweep, trialOf } from '../../src/runs/sweep/record';
import { RunTail } from '../../src/runs/run-tail';
import { readUser } from '../../src/runs/user';
import { latestCheckpoint } from '../../src/training/checkpoint/checkpoint-store';
import { readAdapterFolder } from '../../src/peft/adapter-folder';
import { adapterModules } from '../../src/peft/fit';
import { importedSpec } from '../../src/peft/adapter-spec';

/** Something that is read: its files, and all product code that reads it. */
export interface Subject {
  name: string;
  /**
   * Writes it into an empty folder.
   *
   * @returns the files that may be damaged
   */
  make(folder: string): string[];
  /** All ways to read it. Each reader may fail with an AuroraError but with nothing else. */
  readers: ((folder: string) => unknown)[];
}

const FIXTURES = resolve('test/fixtures');
const REFERENCE = join(FIXTURES, 'reference');

/** Copies these files from a folder. */
const copied =
  (from: string, ...names: string[]) =>
  (folder: string): string[] =>
    names.map((name) => {
      copyFileSync(join(from, name), join(folder, name));
      return join(folder, name);
    });

export const modelReaders = (file: string): Subject['readers'] => [
  (f) => summarize(loadModel(join(f, file))),
  (f) => prepareModel(loadModel(join(f, file))),
];

const model = (file: string): Subject => ({
  name: file,
  make: copied(REFERENCE, file),
  readers: modelReaders(file),
});

/** A folder of the hub. */
const hubModel = (name: string): Subject => ({
  name: `hub folder ${name}`,
  make: copied(join(FIXTURES, 'hf', name), 'config.json', 'model.safetensors'),
  readers: hubReaders,
});

export const hubReaders: Subject['readers'] = [
  (f) => summarize(loadModelFrom(modelSource(f), 'structure')),
  (f) => prepareModel(loadModelFrom(modelSource(f), 'float32', join(f, 'converted'))),
];

const image = (name: string): Subject => ({
  name: `image ${name}`,
  make: copied(join(FIXTURES, 'images'), name),
  readers: [(f) => readImage(join(f, name))],
});

const CONVERSATION = [
  { role: 'user', content: 'Hello' },
  { role: 'assistant', content: 'Hi.' },
];

const chat = (name: string): Subject => ({
  name: `chat template ${name}`,
  make(folder) {
    const wordpiece = join(FIXTURES, 'data', 'wordpiece');
    copyFileSync(join(wordpiece, 'tokenizer.json'), join(folder, 'tokenizer.json'));
    copyFileSync(join(FIXTURES, 'chat-templates', name), join(folder, 'chat_template.jinja'));
    return [join(folder, 'chat_template.jinja')];
  },
  readers: chatReaders,
});

export const chatReaders: Subject['readers'] = [
  (f) => {
    const path = join(f, 'tokenizer.json');
    const template = chatTemplate(path, readTokenizerFiles(path));
    template?.(CONVERSATION, false);
    template?.(CONVERSATION.slice(0, 1), true);
  },
];

/** A column of texts: a dictionary and a page of indices. */
const parquet: Subject = {
  name: 'rows.parquet',
  make(folder) {
    const indices = Buffer.concat([Buffer.from([1]), run(5, 0)]);
    const pages = [dictionary('a'), page({ type: 0, values: 5, encoding: 8, body: indices })];
    writeFileSync(join(folder, 'rows.parquet'), rawParquet({ pages, rows: 5 }));
    return [join(folder, 'rows.parquet')];
  },
  readers: [(f) => readParquet(join(f, 'rows.parquet'))],
};

/** Reads all columns of a Parquet file. */
export async function readParquet(path: string): Promise<void> {
  const opened = await openParquet(path);
  for await (const records of opened.records(opened.columns, { start: 0, end: Infinity }))
    for (const record of records)
      if ('fields' in record) for (const column of opened.columns) record.fields.get(column);
}

const TEXTS = ['the cat played !', '', 'unaffable, playing 中文 🙂', 'x'.repeat(3000)];

export const tokenizerReaders: Subject['readers'] = [
  (f) => {
    const loaded = loadTokenizer(join(f, 'tokenizer.json'));
    for (const text of TEXTS) for (const id of loaded.encode(text, 16).ids) loaded.piece(id);
    loaded.decode([0, 1, 2]);
  },
];

const tokenizer = (folder: string): Subject => ({
  name: `tokenizer ${folder}`,
  make: copied(join(FIXTURES, 'data', folder), ...readdirSync(join(FIXTURES, 'data', folder))),
  readers: tokenizerReaders,
});

const TABLES: Record<string, string> = {
  'rows.csv': 'text,label\n"a, ""b""",x\nplain,y\n"two\nlines",x\n',
  'rows.tsv': 'text\tlabel\nplain\tx\nother\ty\n',
  'rows.json': '[{"text":"one","label":"x"},\n{"text":"two","label":"y","more":[1]}]\n',
  'rows.conll': 'the DT O\ncat NN B\n\nplays VB O\n',
  'rows.jsonl': '{"text":"one","label":"x"}\n{"text":"two","label":"y","more":[1]}\n',
};
const COLUMNS = { textColumn: 'text', labelColumn: 'label' };

export const tableReaders = (file: string): Subject['readers'] => [
  (f) => readRows(join(f, file), { ...COLUMNS, onBadRow: 'skip' }),
  (f) => readRows(join(f, file), { ...COLUMNS, onBadRow: 'fail' }),
  // The editor's own reader may report that it cannot interpret a file, but never throws because of its
  // content.
  (f) => readDataHead(join(f, file)),
];

const table = (name: string, zipped: boolean): Subject => {
  const file = zipped ? `${name}.gz` : name;
  const bytes = Buffer.from(TABLES[name]!);
  return {
    name: file,
    make(folder) {
      writeFileSync(join(folder, file), zipped ? gzipSync(bytes) : bytes);
      return [join(folder, file)];
    },
    readers: tableReaders(file),
  };
};

const EXPERIMENT = {
  model: { path: 'model.onnx' },
  task: { type: 'text-classification', head: 'linear', pooling: 'mean' },
  data: { train: 'train.jsonl', validation: 'validation.jsonl' },
  adapter: {
    method: 'aurora',
    rank: 2,
    alpha: 4,
    targetModules: ['query', 'value'],
    rankPattern: { query: 4 },
  },
  training: { epochs: 4, learningRate: 0.01 },
  sweep: {
    type: 'grid',
    parameters: { 'training.seed': [1, 2], 'adapter.rank': [1, 2] },
    metric: 'accuracy',
  },
};

const experiment: Subject = {
  name: 'experiment',
  make(folder) {
    writeFileSync(join(folder, 'x.aurora.json'), JSON.stringify(EXPERIMENT, null, 2));
    return [join(folder, 'x.aurora.json')];
  },
  readers: [
    (f) => {
      const file = join(f, 'x.aurora.json');
      parseExperiment(file, readFileSync(file, 'utf8'), ['training.epochs=2']);
    },
    (f) => {
      // In the editor, nothing may throw, whatever the user types.
      const file = join(f, 'x.aurora.json');
      const text = readFileSync(file, 'utf8');
      neverRefuses(() => {
        const doc = new ExperimentText(file, text);
        textFindings(doc, checkWithTrials(doc).problems, 'aurora');
      });
    },
  ],
};

const safetensors = (run: string): Subject => ({
  name: 'safetensors',
  make: copied(join(run, 'adapter/best'), 'adapter_model.safetensors'),
  readers: [(f) => readSafetensors(join(f, 'adapter_model.safetensors'))],
});

const adapter = (run: string): Subject => ({
  name: 'adapter folder',
  make: copied(join(run, 'adapter/best'), ...readdirSync(join(run, 'adapter/best'))),
  readers: [
    (f) => {
      const from = readAdapterFolder(f);
      importedSpec(from);
      adapterModules(from);
    },
  ],
});

const everyFile = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name));

const runFolder = (run: string): Subject => ({
  name: 'run folder',
  make(folder) {
    cpSync(run, join(folder, 'run'), { recursive: true });
    return everyFile(join(folder, 'run'));
  },
  readers: [
    (f) => readRun(join(f, 'run')),
    (f) => studyRun(readRunSummary(join(f, 'run')), 'run'),
    // The tree's and the sweep's readers show what is wrong with a folder and never throw.
    async (f) => {
      const tail = new RunTail(join(f, 'run'));
      await tail.look();
      await tail.look();
    },
    (f) =>
      neverRefuses(() => {
        trialOf(join(f, 'run'));
        lookAtTrial({ id: 'x', number: 1, settings: {}, run: 'run', planned: true }, join(f, 'run'));
      }),
    (f) => readUser(join(f, 'run')),
    (f) => latestCheckpoint(join(f, 'run'), () => undefined),
    (f) => readPredictions(join(f, 'run'), 48),
    async (f) => {
      const snapshots = new Snapshots(join(f, 'run'));
      for (const step of await snapshots.steps()) await snapshots.read(step);
      await snapshots.readExamples();
    },
  ],
});

const sweepFolder = (sweep: string): Subject => ({
  name: 'sweep folder',
  make: (folder) => {
    cpSync(sweep, join(folder, 'sweep'), { recursive: true });
    return [join(folder, 'sweep', 'sweep.json')];
  },
  readers: [(f) => readSweep(join(f, 'sweep'))],
});

/** Turns an AuroraError into a forbidden outcome. */
function neverRefuses(read: () => unknown): void {
  try {
    read();
  } catch (e) {
    throw new Error(`must not throw: ${(e as Error).message}`, { cause: e });
  }
}

/**
 * @param run the folder of a finished run
 * @param sweep the folder of a finished sweep
 */
export const subjects = (run: string, sweep: string): Subject[] => [
  ...['bert.onnx', 'vit.onnx', 'llama.onnx', 'bert-opset13.onnx'].map(model),
  ...['bert', 'llama', 'vit'].map(hubModel),
  ...['rgb.png', '95-0.jpg', 'alpha.webp', 'rgb.tif', 'plain.gif'].map(image),
  ...['qwen3.jinja', 'mistral-nemo.jinja'].map(chat),
  parquet,
  ...['wordpiece', 'unigram'].map(tokenizer),
  ...Object.keys(TABLES).flatMap((name) => [table(name, false), table(name, true)]),
  experiment,
  safetensors(run),
  adapter(run),
  runFolder(run),
  sweepFolder(sweep),
];

/** The path of a file within the subject, for the tally. */
export const placeIn = (folder: string, file: string): string => relative(folder, file);

export function emptyFolder(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}
