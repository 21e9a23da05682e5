import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import { loadExperiment } from '../../src/runs/experiment/load';
import { png } from '../png';
import { readRun } from '../read-run';
import { quoted, writeParquet } from '../unit/data/table/duckdb';
import { CLI, Lab } from './lab';

const GLUE = resolve('test/fixtures/recipes/glue');
/** From util-linux: runs a command in a new terminal. */
const SCRIPT = '/usr/bin/script';

/** A task of GLUE on the hub: its configuration, the columns by those of the TSV file, and the names of its labels. */
interface Hub {
  folder: string;
  columns: Record<string, string>;
  label: string;
  names?: readonly string[];
  /** The labels as the TSV file writes them. */
  written?: readonly string[];
}

const HUB: Record<string, Hub> = {
  'sst-2': {
    folder: 'SST-2',
    columns: { sentence: 'sentence' },
    label: 'label',
    names: ['negative', 'positive'],
    written: ['0', '1'],
  },
  mrpc: {
    folder: 'MRPC',
    columns: { '#1 String': 'sentence1', '#2 String': 'sentence2' },
    label: 'Quality',
    names: ['not_equivalent', 'equivalent'],
    written: ['0', '1'],
  },
  cola: {
    folder: 'CoLA',
    columns: { '4': 'sentence' },
    label: '2',
    names: ['unacceptable', 'acceptable'],
    written: ['0', '1'],
  },
  qnli: {
    folder: 'QNLI',
    columns: { question: 'question', sentence: 'sentence' },
    label: 'label',
    names: ['entailment', 'not_entailment'],
  },
  rte: {
    folder: 'RTE',
    columns: { sentence1: 'sentence1', sentence2: 'sentence2' },
    label: 'label',
    names: ['entailment', 'not_entailment'],
  },
  'sts-b': { folder: 'STS-B', columns: { sentence1: 'sentence1', sentence2: 'sentence2' }, label: 'score' },
};

/** The rows of a TSV file by column, read without any of the product's code. */
function rowsOf(path: string, header: boolean): Record<string, string>[] {
  const lines = readFileSync(path, 'utf8').replace('\ufeff', '').trimEnd().split('\n');
  const cells = lines.map((line) => line.split('\t'));
  const names = header ? cells[0] : cells[0].map((_, i) => String(i + 1));
  return cells.slice(Number(header)).map((row) => Object.fromEntries(row.map((cell, i) => [names[i], cell])));
}

/** Writes a split as the hub has it: numbers for labels, whose names are in the metadata, and -1 where they are hidden. */
async function writeSplit(
  { folder, columns, label, names, written = names }: Hub,
  split: string,
  to: string,
): Promise<void> {
  const file = { train: 'train', validation: 'dev', test: 'dev' }[split]!;
  const rows = rowsOf(join(GLUE, folder, `${file}.tsv`), folder !== 'CoLA');
  const values = rows.map((row, i) => {
    const texts = Object.keys(columns).map((column) => quoted(row[column]));
    const number = written ? `${written.indexOf(row[label])}::bigint` : `${row[label]}::float`;
    return `(${[...texts, split === 'test' ? (written ? '-1::bigint' : '-1::float') : number, `${i}::integer`].join(', ')})`;
  });
  const all = [...Object.values(columns), 'label', 'idx'];
  const features = { label: names ? { names, _type: 'ClassLabel' } : { dtype: 'float32', _type: 'Value' } };
  await writeParquet(
    join(to, `${split}-00000-of-00001.parquet`),
    `select * from (values ${values.join(', ')}) t(${all.join(', ')})`,
    `kv_metadata {huggingface: ${quoted(JSON.stringify({ info: { features } }))}}`,
  );
}

describe('aurora recipe', () => {
  const lab = new Lab();
  const onto = (model: string, name: string, data: string, out: string, ...more: string[]) =>
    lab.run('recipe', name, ...['--model', lab.path(model), '--data', data, '--out', lab.path(out)], ...more);
  /** Without what a failed attempt has left, since no file is overwritten. */
  const write = (name: string, data: string, out: string, ...more: string[]) => {
    rmSync(lab.path(out), { force: true });
    return onto('model.onnx', name, data, out, ...more);
  };
  const OPTIONS = ['--size', 'base', '--defaults'];

  beforeAll(async () => {
    cpSync(GLUE, lab.path('glue'), { recursive: true });
    for (const [id, hub] of Object.entries(HUB)) {
      mkdirSync(lab.path(`hub/${id}`), { recursive: true });
      for (const split of ['train', 'validation', 'test'])
        await writeSplit(hub, split, lab.path(`hub/${id}`));
    }
  });
  afterAll(() => lab.remove());

  it.each(Object.entries(HUB))(
    'writes glue/%s from TSV and from Parquet files, which train the same',
    (id, hub) => {
      const metrics = ['tsv', 'parquet'].map((form) => {
        const data = lab.path(form === 'tsv' ? `glue/${hub.folder}` : `hub/${id}`);
        const out = `${id}-${form}.aurora.json`;
        const made = write(`glue/${id}`, data, out, ...OPTIONS);
        expect([made.code, made.err]).toEqual([0, '']);
        expect(made.out).toMatch(/\d training rows of .*, \d validation rows of /);
        expect(made.out).toMatch(/training\.seed +42 +not stated: this program’s default/);
        expect(made.out).toMatch(/training\.learningRate +\S+ +arXiv 2505\.18738, RoBERTa-Base/);
        const spec = loadExperiment(lab.path(out));
        expect(spec.data.train).toContain('train');
        expect(spec.data.validation).toMatch(/dev\.tsv$|validation-00000-of-00001\.parquet$/);
        expect(spec.training.metric).toBe({ cola: 'matthews', 'sts-b': 'pearson' }[id] ?? 'accuracy');
        expect(spec.task).toMatchObject({ head: 'linear', pooling: 'first-token' });
        const trained = lab.run(
          'train',
          lab.path(out),
          '--set',
          'training.maxSteps=1',
          '--device',
          'cpu',
          '--out',
          lab.path(`${id}-${form}`),
        );
        expect([trained.code, trained.err]).toEqual([
          expect.toBeOneOf([EXIT.ok, EXIT.baseline]),
          expect.not.stringContaining('error'),
        ]);
        const { result } = readRun(lab.runs(lab.path(`${id}-${form}`))[0]);
        return (result as unknown as { best: unknown }).best;
      });
      // Same texts, same numbers, same order of labels: the quotes in the TSV files are texts.
      if (id === 'sts-b')
        expect(Object.keys(metrics[1] as object)).toEqual(Object.keys(metrics[0] as object));
      else expect(metrics[1]).toEqual(metrics[0]);
    },
  );

  it('takes an experiment through the preflight', () => {
    const checked = lab.run('preflight', lab.path('rte-tsv.aurora.json'), '--steps', '1', '--device', 'cpu');
    expect(checked.code).toBe(0);
    expect(checked.out).toMatch(/entailment +3 /);
  });

  it('refuses a test set whose numbers the hub does not publish, before training', () => {
    const hidden = `data.test=${lab.path('hub/sts-b/test-00000-of-00001.parquet')}`;
    const file = lab.path('sts-b-parquet.aurora.json');
    const checked = lab.run('preflight', file, '--steps', '1', '--device', 'cpu', '--set', hidden);
    expect([checked.code, checked.err]).toEqual([
      13,
      expect.stringMatching(/test-00000-of-00001\.parquet: the answer of every row is -1, .* not published/),
    ]);
  });

  it('never overwrites a file, and writes none if the data are not those of the recipe', () => {
    const before = lab.read('rte-tsv.aurora.json');
    const again = onto('model.onnx', 'glue/rte', lab.path('glue/RTE'), 'rte-tsv.aurora.json', ...OPTIONS);
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('was not overwritten')]);
    expect(lab.read('rte-tsv.aurora.json')).toBe(before);
    mkdirSync(lab.path('wnli'), { recursive: true });
    for (const name of ['train.tsv', 'dev.tsv'])
      lab.write(
        `wnli/${name}`,
        lab.read(`glue/RTE/${name}`).replaceAll('not_entailment', '0').replaceAll('\tentailment', '\tmaybe'),
      );
    const other = write('glue/rte', lab.path('wnli'), 'wrong.aurora.json', ...OPTIONS);
    expect([other.code, other.err]).toEqual([
      13,
      expect.stringContaining('RTE has entailment, not_entailment'),
    ]);
    const columns = write('glue/qnli', lab.path('glue/RTE'), 'wrong.aurora.json', ...OPTIONS);
    expect([columns.code, columns.err]).toEqual([12, expect.stringContaining('no column "question"')]);
    expect(() => lab.read('wrong.aurora.json')).toThrow();
  });

  it('lists what is not stated if nobody can be asked, and takes answers from --set', () => {
    const open = write(
      'glue/rte',
      lab.path('glue/RTE'),
      'open.aurora.json',
      '--size',
      'large',
      '--set',
      'training.seed=3',
    );
    expect(open.code).toBe(2);
    expect(open.err).toMatch(/weight decay, training\.weightDecay/);
    expect(open.err).toMatch(/--defaults: .*--set training\.betas=\[0\.9,0\.999\]/);
    expect(open.err).not.toContain('training.seed');
    const sized = write('glue/rte', lab.path('glue/RTE'), 'open.aurora.json', '--defaults');
    expect([sized.code, sized.err]).toEqual([2, expect.stringMatching(/width 768 and 1024.*width 32/)]);
    const answers = [
      'training.weightDecay=0.1',
      'training.seed=3',
      'training.epochs=2',
      'data.onBadRow=skip',
    ];
    const made = write(
      'glue/rte',
      lab.path('glue/RTE'),
      'open.aurora.json',
      '--size',
      'large',
      '--defaults',
      ...answers.flatMap((a) => ['--set', a]),
    );
    expect([made.code, made.err]).toEqual([0, '']);
    expect(made.out).toMatch(/training\.weightDecay +0\.1 +not stated: your choice/);
    expect(made.out).toMatch(/training\.epochs +2 +your choice \(--set\)/);
    expect(loadExperiment(lab.path('open.aurora.json'))).toMatchObject({
      data: { onBadRow: 'skip' },
      training: { weightDecay: 0.1, seed: 3, epochs: 2, learningRate: 4e-4, batchSize: 32 },
    });
  });

  it.runIf(existsSync(SCRIPT))(
    'asks in a terminal for what is not stated, and Enter takes the default',
    () => {
      const file = lab.path('asked.aurora.json');
      rmSync(file, { force: true });
      const words = [
        'recipe',
        'glue/rte',
        '--model',
        lab.path('model.onnx'),
        '--data',
        lab.path('glue/RTE'),
        '--out',
        file,
      ];
      const command = [process.execPath, CLI, ...words].map((word) => `'${word}'`).join(' ');
      // The size, the head's learning rate, weight decay, betas, epsilon, clipping and the seed.
      const typed = spawnSync(SCRIPT, ['-qec', command, '/dev/null'], {
        encoding: 'utf8',
        input: 'large\n\n0.2\n\n\n\n7\n',
        timeout: 300_000,
      });
      expect(typed.stdout).toContain(
        'Whose settings should be used, base (RoBERTa-Base) or large (RoBERTa-Large)?',
      );
      expect(typed.stdout).toContain('Not stated in the paper: weight decay, training.weightDecay [0.01]');
      expect(typed.status).toBe(0);
      expect(loadExperiment(file).training).toMatchObject({
        headLearningRate: 4e-4,
        weightDecay: 0.2,
        betas: [0.9, 0.999],
        seed: 7,
      });
    },
  );

  it('never evaluates on a test set', () => {
    rmSync(lab.path('untested'), { recursive: true, force: true });
    mkdirSync(lab.path('untested'));
    for (const split of ['train', 'test'])
      copyFileSync(
        lab.path(`hub/rte/${split}-00000-of-00001.parquet`),
        lab.path(`untested/${split}-00000-of-00001.parquet`),
      );
    const none = write('glue/rte', lab.path('untested'), 'untested.aurora.json', ...OPTIONS);
    expect([none.code, none.err]).toEqual([
      12,
      expect.stringMatching(/no validation file of RTE; test-\S+ is not used/),
    ]);
    const share = write(
      'glue/rte',
      lab.path('untested'),
      'untested.aurora.json',
      ...OPTIONS,
      '--set',
      'data.validationFraction=0.5',
    );
    expect(share.code).toBe(0);
    expect(loadExperiment(lab.path('untested.aurora.json')).data).toMatchObject({ validationFraction: 0.5 });
    expect(loadExperiment(lab.path('untested.aurora.json')).data.validation).toBeUndefined();
  });

  it('writes Commonsense170K for a language model, in its template, and says what is left out', () => {
    lab.write('lm/model.onnx', readFileSync(resolve('test/fixtures/reference/llama.onnx')));
    for (const name of ['tokenizer.json', 'tokenizer_config.json']) lab.write(`lm/${name}`, lab.read(name));
    cpSync(resolve('test/fixtures/recipes/commonsense'), lab.path('commonsense'), { recursive: true });
    lab.write('commonsense/dataset/boolq/test.json', lab.read('commonsense/commonsense_170k.json'));
    const share = ['--set', 'data.validationFraction=0.3', '--defaults'];
    const out = 'commonsense.aurora.json';
    rmSync(lab.path(out), { force: true });
    const made = onto('lm/model.onnx', 'commonsense170k', lab.path('commonsense'), out, ...share);
    expect([made.code, made.err]).toEqual([0, '']);
    expect(made.out).toMatch(/data\.validationFraction +0\.3 +your choice \(--set\)/);
    expect(made.out).toMatch(/model\.maxLength +256 +not stated in the paper: LLM-Adapters/);
    expect(made.out).toMatch(/training\.metric +accuracy +arXiv 2505\.18738/);
    expect(made.out).toMatch(/Not found, and so not scored: piqa, [^]*obqa\./);
    expect(made.out).toMatch(/Not in the experiment:\n +The scoring of LLM-Adapters/);
    const spec = loadExperiment(lab.path('commonsense.aurora.json'));
    expect(spec).toMatchObject({
      task: { type: 'multiple-choice', lossOn: 'everything' },
      data: {
        textColumn: 'instruction',
        completionColumn: 'output',
        labelColumn: 'answer',
        validationFraction: 0.3,
        evaluations: { boolq: { path: lab.path('commonsense/dataset/boolq/test.json') } },
      },
      adapter: {
        dropout: 0.05,
        rank: 2,
        targetModules: ['q_proj', 'k_proj', 'v_proj', 'up_proj', 'down_proj'],
      },
      training: { warmupSteps: 100, epochs: 3, batchSize: 16 },
    });
    expect(spec.data.promptTemplate).toMatch(/### Instruction:\n\{text\}\n\n### Response:\n$/);
    const run = ['--set', 'training.maxSteps=1', '--set', 'model.maxLength=64', '--device', 'cpu'];
    const trained = lab.run(
      'train',
      lab.path('commonsense.aurora.json'),
      ...run,
      '--out',
      lab.path('lm-runs'),
    );
    expect([trained.code, trained.err]).toEqual([0, expect.not.stringContaining('error')]);
  });

  describe('of images', () => {
    const CLASSES = [
      'airplane',
      'automobile',
      'bird',
      'cat',
      'deer',
      'dog',
      'frog',
      'horse',
      'ship',
      'truck',
    ];
    const picture = (label: number, i: number) =>
      png(20 + i, 24, (x, y) => [label * 25, (x * 7 + y * 13 + i * 29) % 90, 250 - label * 25]);
    const make = (name: string, data: string, out: string, ...more: string[]) => {
      rmSync(lab.path(out), { force: true });
      return onto('vit/model.onnx', name, lab.path(data), out, '--size', 'base', ...more);
    };
    const trains = (file: string) =>
      lab.run(
        'train',
        ...[
          lab.path(file),
          '--set',
          'training.maxSteps=1',
          '--device',
          'cpu',
          '--out',
          lab.path(`${file}-runs`),
        ],
      );

    beforeAll(() => {
      lab.write('vit/model.onnx', readFileSync(resolve('test/fixtures/reference/vit.onnx')));
      const size = { height: 24, width: 24 };
      lab.write(
        'vit/preprocessor_config.json',
        JSON.stringify({ image_processor_type: 'ViTImageProcessor', size }),
      );
    });

    it('writes EuroSAT from a folder for each label, and holds out what is asked for', () => {
      for (const [at, name] of CLASSES.entries())
        for (let i = 0; i < 3; i++) lab.write(`eurosat/2750/${name}/${i}.png`, picture(at, i));
      const open = make('images/eurosat', 'eurosat', 'eurosat.aurora.json');
      expect([open.code, open.err]).toEqual([2, expect.stringContaining('data.validationFraction')]);
      expect(open.err).toContain('batch size, training.batchSize');
      const share = ['--set', 'data.validationFraction=0.4', '--defaults'];
      const made = make('images/eurosat', 'eurosat', 'eurosat.aurora.json', ...share);
      expect([made.code, made.err]).toEqual([0, '']);
      const spec = loadExperiment(lab.path('eurosat.aurora.json'));
      expect(spec).toMatchObject({
        data: { train: lab.path('eurosat/2750'), validationFraction: 0.4 },
        training: { learningRate: 5e-3, headLearningRate: 8e-3, weightDecay: 3e-4, epochs: 10 },
      });
      expect(lab.read('eurosat.aurora.json')).not.toContain('maxLength');
      const trained = trains('eurosat.aurora.json');
      expect([trained.code, trained.err]).toEqual([0, expect.not.stringContaining('error')]);
      rmSync(lab.path('eurosat/2750/truck'), { recursive: true });
      const fewer = make('images/eurosat', 'eurosat', 'fewer.aurora.json', '--defaults');
      expect([fewer.code, fewer.err]).toEqual([13, expect.stringContaining('9 labels, but EuroSAT has 10')]);
    });

    it('writes CIFAR-10 from a clone of the hub’s files, without its test set', async () => {
      mkdirSync(lab.path('cifar/plain_text'), { recursive: true });
      const features = { img: { _type: 'Image' }, label: { names: CLASSES, _type: 'ClassLabel' } };
      const rows = CLASSES.flatMap((_, at) =>
        [0, 1].map((i) => `({'bytes': from_hex('${picture(at, i).toString('hex')}'), 'path': null}, ${at})`),
      );
      for (const split of ['train', 'test'])
        await writeParquet(
          lab.path(`cifar/plain_text/${split}-00000-of-00001.parquet`),
          `select * from (values ${rows.join(', ')}) t(img, label)`,
          `kv_metadata {huggingface: ${quoted(JSON.stringify({ info: { features } }))}}`,
        );
      const made = make(
        'images/cifar-10',
        'cifar',
        'cifar.aurora.json',
        '--defaults',
        '--set',
        'data.validationFraction=0.5',
      );
      expect([made.code, made.err]).toEqual([0, '']);
      expect(made.out).toContain('Labels: airplane, automobile');
      expect(made.out).toContain('plain_text/test-00000-of-00001.parquet is not used.');
      expect(loadExperiment(lab.path('cifar.aurora.json')).data).toMatchObject({
        imageColumn: 'img',
        labelColumn: 'label',
      });
      const trained = trains('cifar.aurora.json');
      expect([trained.code, trained.err]).toEqual([0, expect.not.stringContaining('error')]);
    });
  });

  it('lists the recipes and shows one with its sources', () => {
    expect(lab.run('recipe').out).toMatch(
      /glue\/sst-2 +Text classification +accuracy +roberta-base, roberta-large/,
    );
    const shown = lab.run('recipe', 'glue/sts-b').out;
    expect(shown).toContain('"labelColumn": "score"');
    expect(shown).toContain('Source: GLUE (arXiv 1804.07461)');
    expect(lab.run('recipe', 'glue/stsc').err).toContain('Did you mean "glue/sts-b"?');
  });
});
