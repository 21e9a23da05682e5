import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TASKS, type TaskName } from '../../src/experiment/tasks/registry';
import { metricValue } from '../../src/experiment/metrics';
import type { ExportRecord } from '../../src/protocol/export';
import { encodeSafetensors, readSafetensors } from '../../src/graph/file/safetensors';
import { readRun } from '../read-run';
import { runPaths } from '../../src/runs/layout';
import { parseSamples } from '../../src/protocol/run-files/samples';
import { writeParquet } from '../unit/data/table/duckdb';
import { CLI, Lab } from './lab';
import { pictured, writePictures } from './pictures';

/** A kind of task on tiny data that it can learn, as one row of a JSONL file per text. */
interface Kind {
  type: TaskName;
  /** Further settings of the task. */
  task?: object;
  training?: object;
  data?: object;
  /** A model in test/fixtures and the files beside it, with its modules to adapt; BERT otherwise. */
  model?: {
    path: string;
    beside?: string[];
    head: 'linear' | 'none';
    targetModules: string[];
    maxLength?: number;
    dropout?: number;
  };
  /** Other files that the data need. */
  files?: (lab: Lab) => void | Promise<void>;
  row(text: string, index: number): object;
  /** A line for `aurora play` (of an image: its path in the folder of the experiment), and what the answer looks like. */
  asked: [line: string, answer: RegExp];
  /** The line is such a path. */
  picture?: true;
  errors: RegExp;
  preflight: RegExp;
  /** In the model card of an export. */
  card: RegExp;
}

/** ChatML, as many models have it. */
const CHAT =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + eos_token }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";
const withChat = (config: string): string =>
  JSON.stringify({ ...(JSON.parse(config) as object), chat_template: CHAT });

const has = (text: string, word: string): boolean => text.split(' ').includes(word);
const cats = (text: string): number => text.split(' ').filter((w) => w.startsWith('cat')).length;

const LANGUAGE_MODEL: Kind['model'] = {
  path: 'playground/language/model.onnx',
  beside: ['tokenizer.json', 'tokenizer_config.json', 'config.json'],
  head: 'none',
  targetModules: ['c_attn', 'c_fc'],
};

const KINDS: Record<string, Kind> = {
  'pairs of texts': {
    card: /2 labels, in the order of the logits/,
    type: 'text-classification',
    task: { classWeights: 'balanced', labelSmoothing: 0.1 },
    data: { textPairColumn: 'second' },
    row: (text, i) => ({ text, second: i % 2 ? 'the cat' : '!', label: i % 2 ? 'cat' : 'none' }),
    asked: ['the cats\tthe cat', /cat \d+\.\d%/],
    errors: /Most confused|No labels are confused/,
    preflight: /label +training +validation\n +(cat|none) +\d+ \(\d+\.\d%\)/,
  },
  regression: {
    card: /One number, `score`, in the unit of the data\./,
    type: 'text-regression',
    data: { labelColumn: 'score' },
    row: (text) => ({ text, score: 1000 + 250 * cats(text) }),
    asked: ['the cats', /score 1,\d{3} /],
    errors: /By true number\n[^]*predicted as/,
    preflight: /numbers +training +validation\n +smallest +1,000 +1,000\n/,
  },
  'several labels': {
    card: /A text can have several: those with a logit above 0\./,
    type: 'multi-label-classification',
    row: (text) => ({ text, labels: ['cat', 'played', 'the'].filter((word) => has(text, word)) }),
    asked: ['the cat played', /(the|cat|played) \d+\.\d%|no label/],
    errors: /By label, worst first\n[^]*the /,
    preflight: /label +training +validation\n +\(none\) +\d+ [^]*An example can have several labels/,
  },
  'tags of words': {
    card: /2 labels, in the order of the logits: `B-PET`, `O`\./,
    type: 'token-classification',
    row(text) {
      const tokens = text.split(' ');
      return { tokens, tags: tokens.map((word) => (word.startsWith('cat') ? 'B-PET' : 'O')) };
    },
    asked: ['the cats', /\(PET|no span/],
    errors: /By type, worst first/,
    preflight: /label +training +validation\n +O +/,
  },
  'conversations of a language model, packed': {
    card: /It predicts the next token\./,
    type: 'causal-language-modeling',
    model: { ...LANGUAGE_MODEL, maxLength: 96 },
    // Rows of a few texts each.
    training: { packing: true, batchSize: 2 },
    data: { messagesColumn: 'chat' },
    files: (lab) => lab.write('tokenizer_config.json', withChat(lab.read('tokenizer_config.json'))),
    row: (text, i) => ({
      chat: [
        { role: 'user', content: text.split(' ').slice(0, 3).join(' ') },
        { role: 'assistant', content: i % 2 ? 'yes' : 'no' },
      ],
    }),
    asked: ['the cats', /\d+ tokens?, (ended by the model|the maximum requested|the model's maximum length)/],
    errors: /By length\n[^]*tokens right/,
    preflight:
      /The training examples are packed into \d\d rows, with [\d.]+% padding [^]*tokens to predict +\d+ +\d+\n/,
  },
  'questions in the layout of Commonsense170K': {
    card: /the answer is found by likelihood/,
    type: 'multiple-choice',
    model: LANGUAGE_MODEL,
    data: { textColumn: 'instruction', completionColumn: 'output' },
    row(text) {
      const answer = String(cats(text) > 0);
      return {
        instruction: `${text}\n\nAnswer format: true/false`,
        input: '',
        output: `the correct answer is ${answer}`,
        answer,
      };
    },
    asked: ['the cats played Answer format: true/false', /(true|false) \d+\.\d%/],
    errors: /Answers are found by likelihood[^]*choice [12] \((true|false)\)/,
    preflight: /tokens to predict +[\d,]+ +[\d,]+\n/,
  },
  'questions with choices that a model with a key/value cache writes': {
    card: /the answer is found by generation/,
    type: 'multiple-choice',
    task: { scoring: 'generation' },
    // Room for each question, and for the 32 tokens that an answer may have.
    model: { ...LANGUAGE_MODEL, path: 'playground/language/with-past.onnx', maxLength: 96 },
    data: { choicesColumn: 'options', promptTemplate: '{text}:' },
    row: (_, i) => ({ question: i % 2 ? 'a b' : 'c d', options: ['x', 'y'], answer: i % 2 }),
    asked: ['a b\tx\ty', /y \d+\.\d%/],
    errors: /Answers are found by generation[^]*choice [12] \([xy]\)/,
    preflight: /tokens to predict +[\d,]+ +[\d,]+\n/,
  },
  'prompts whose answers a model with a key/value cache writes': {
    card: /Answers were found in a greedily generated text of at most 12 tokens, by exact match of what `#### \(\.\+\)` finds/,
    type: 'causal-language-modeling',
    task: {
      scoring: ['exact-match', 'last-number'],
      answers: { pattern: '#### (.+)', maxNewTokens: 12 },
    },
    model: { ...LANGUAGE_MODEL, path: 'playground/language/with-past.onnx' },
    data: { textColumn: 'prompt', completionColumn: 'completion' },
    row: (_, i) => ({ prompt: i % 2 ? 'a b: ' : 'c d: ', completion: `#### ${i % 2}` }),
    asked: ['a b: ', /\d+ tokens?, (ended by the model|the maximum requested|the model's maximum length)/],
    errors: /Written answers\n[^]*exact match +\d+ [^]*last number +\d+ [^]*wrote: \S/,
    preflight: /for writing \d+ answers of up to \d+ tokens/,
  },
  'images in a Parquet file': {
    card: /Images are resized and normalized[^]*2 labels, in the order of the logits: `cat`, `none`\./,
    type: 'image-classification',
    model: { path: 'reference/vit.onnx', head: 'linear', targetModules: ['query', 'value'], dropout: 0.1 },
    data: { train: 'train.parquet', augmentation: { crop: true, flip: 0.5, brightness: 0.2 } },
    async files(lab) {
      writePictures(lab, 96);
      // As beside a vision model: exports must not ask for it.
      rmSync(lab.path('tokenizer.json'));
      const rows = Array.from({ length: 96 }, (_, i) => {
        const bytes = readFileSync(lab.path(`images/${i}.png`)).toString('hex');
        return `({'bytes': from_hex('${bytes}'), 'path': null}, '${pictured(i)}')`;
      });
      await writeParquet(
        lab.path('train.parquet'),
        `select * from (values ${rows.join(', ')}) t(image, label)`,
      );
    },
    row: (_, i) => ({ image: `images/${i}.png`, label: pictured(i) }),
    picture: true,
    asked: ['images/1.png', /cat \d+\.\d%/],
    errors: /Most confused|No labels are confused/,
    preflight: /label +training +validation\n +(cat|none) +\d+ \(\d+\.\d%\)/,
  },
  'masked tokens': {
    card: /It predicts the tokens that are masked in a text\./,
    type: 'masked-language-modeling',
    model: {
      path: 'reference/more/masked-language-model.onnx',
      head: 'none',
      targetModules: ['query', 'value', 'decoder'],
      maxLength: 16,
    },
    // Sentences that leave no doubt about a hidden word.
    row: (_, i) => ({ text: ['the cats played !', 'unaffable , the cat', 'play , play , play'][i % 3] }),
    asked: ['unaffable , the [MASK]', /(\S+ \d+\.\d%, ){2}\S+ \d+\.\d% [^]* base model  +\S+ \d+\.\d%/],
    errors: /By length\n[^]*tokens right/,
    preflight: /tokens to predict +\d+ +\d+\n/,
  },
};

describe.each(Object.entries(KINDS))('%s', async (_, kind) => {
  const lab = new Lab({
    task: { type: kind.type, ...(kind.model && { head: kind.model.head }), ...kind.task },
    data: kind.data ?? {},
    ...(kind.model && {
      model: { maxLength: kind.model.maxLength ?? 64 },
      adapter: {
        method: 'aurora',
        targetModules: kind.model.targetModules,
        dropout: kind.model.dropout ?? 0,
      },
    }),
    training: { epochs: 5, learningRate: 0.03, ...kind.training },
  });
  afterAll(() => lab.remove());
  if (kind.model) {
    const model = resolve('test/fixtures', kind.model.path);
    lab.write('model.onnx', readFileSync(model));
    for (const name of kind.model.beside ?? []) lab.write(name, readFileSync(join(dirname(model), name)));
  }
  await kind.files?.(lab);
  for (const name of ['train.jsonl', 'validation.jsonl']) {
    const texts = lab
      .read(name)
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { text: string }).text);
    lab.write(name, texts.map((text, i) => `${JSON.stringify(kind.row(text, i))}\n`).join(''));
  }
  const { metrics } = TASKS[kind.type];
  let run = '';

  it('is checked before it is trained', () => {
    const checked = lab.run('preflight', lab.experiment, '--steps', '1');
    expect(checked.code).toBe(0);
    expect(checked.out).toMatch(kind.preflight);
  });

  it('is learned better than by the best answer that ignores the input', () => {
    const trained = lab.run('train', lab.experiment, '--out', lab.path('runs'));
    expect([trained.code, trained.err]).toEqual([0, expect.not.stringContaining('error')]);
    [run] = lab.runs(lab.path('runs'));
    const { result } = readRun(run);
    const { best, baseline } = result as unknown as {
      best: Record<string, number>;
      baseline: { metric: (typeof metrics)[number]; value: number };
    };
    for (const metric of [...metrics, 'loss'] as const) expect(metricValue(best, metric)).not.toBeNaN();
    const [before, after] = [baseline.value, metricValue(best, baseline.metric)];
    if (baseline.metric === 'rmse') expect(after).toBeLessThan(before);
    else expect(after).toBeGreaterThan(before);
  });

  it('resumes after kill -9 to the same bits', () => {
    const preload = resolve('test/cli/kill-at.cjs');
    const moment = { pattern: 'checkpoints/step-0*9$', when: 'after', signal: 'SIGKILL' };
    const out = lab.path('killed');
    const words = ['--require', preload, CLI, 'train', lab.experiment, '--out', out];
    const { signal, stderr } = spawnSync(process.execPath, words, {
      env: { ...process.env, AURORA_TEST_KILL: JSON.stringify(moment) },
      encoding: 'utf8',
    });
    expect(signal, stderr).toBe('SIGKILL');
    const [killed] = lab.runs(out);
    expect(readRun(killed).events.some((e) => e.kind === 'finished')).toBe(false);
    expect(lab.run('train', '--resume', killed).code).toBe(0);
    const bits = (of: string, which: string) =>
      readFileSync(join(of, 'adapter', which, 'adapter_model.safetensors')).toString('base64');
    for (const which of ['best', 'last']) expect(bits(killed, which)).toBe(bits(run, which));
    const samples = (of: string) => readFileSync(runPaths(of).samples, 'utf8');
    expect(samples(killed)).toBe(samples(run));
    const { rows, evaluations } = parseSamples(JSON.parse(samples(run)))!;
    expect([rows.length, evaluations.length > 1]).toEqual([8, true]);
    for (const { answers } of evaluations) for (const { loss } of answers) expect(loss).toBeGreaterThan(0);
    expect(rows.every(({ thumbnail }) => (thumbnail !== undefined) === (kind.picture ?? false))).toBe(true);
    const { best, last } = readRun(run).result!;
    expect(readRun(killed).result).toMatchObject({ best, last });
  });

  it('shows its errors, and answers', () => {
    const errors = lab.run('errors', run);
    expect([errors.code, errors.err]).toEqual([0, expect.not.stringContaining('error')]);
    expect(errors.out).toMatch(kind.errors);
    const [line, answer] = kind.asked;
    const typed = kind.picture ? lab.path(line) : line;
    const played = lab.type(`${typed}\n`, 'play', run);
    expect([played.code, played.out]).toEqual([0, expect.stringMatching(answer)]);
  });

  it.each(['adapter', 'onnx-dynamic', 'onnx-adapter-inputs'])(
    'is exported as %s with the same answers',
    (form) => {
      const out = lab.path(form);
      const exported = lab.run('export', run, '--as', form, '--out', out);
      expect([exported.code, exported.err]).toEqual([0, expect.not.stringContaining('error')]);
      const record = JSON.parse(readFileSync(join(out, 'export.json'), 'utf8')) as ExportRecord;
      expect(readFileSync(join(out, 'README.md'), 'utf8')).toMatch(kind.card);
      expect(record.largestDifference).toBeLessThan(1e-4);
      for (const metric of metrics)
        expect(metricValue(record.metrics.exported, metric)).toBeCloseTo(
          metricValue(record.metrics.trained, metric),
          3,
        );
    },
  );

  it('is imported with the same results', () => {
    const imported = lab.run(
      'import',
      lab.path('adapter'),
      '--experiment',
      lab.experiment,
      '--out',
      lab.path('imported'),
    );
    expect([imported.code, imported.err]).toEqual([0, expect.not.stringContaining('error')]);
    const [copy] = lab.runs(lab.path('imported'));
    const [first] = readRun(copy).events.flatMap((e) => (e.kind === 'evaluation' ? [e.metrics] : []));
    const best = (readRun(run).result as unknown as { best: Record<string, number> }).best;
    for (const metric of metrics)
      expect(metricValue(first, metric)).toBeCloseTo(metricValue(best, metric), 4);
  });

  it.runIf(kind.type === 'text-regression')(
    'is imported without our own words, with a head in the unit of the data',
    () => {
      const out = lab.path('foreign');
      cpSync(lab.path('adapter'), out, { recursive: true });
      const words = join(out, 'aurora.json');
      const { scale } = JSON.parse(readFileSync(words, 'utf8')) as {
        scale: { mean: number; deviation: number };
      };
      rmSync(words);
      const file = join(out, 'adapter_model.safetensors');
      const { tensors } = readSafetensors(file);
      const changed = new Map(tensors);
      for (const part of ['weight', 'bias']) {
        const key = `base_model.model.classifier.${part}`;
        const { dims, data } = tensors.get(key)!;
        const shift = part === 'bias' ? scale.mean : 0;
        changed.set(key, { dims, data: data.map((v) => v * scale.deviation + shift) });
      }
      writeFileSync(file, encodeSafetensors(changed, { format: 'pt' }));
      const imported = lab.run('import', out, '--experiment', lab.experiment, '--out', lab.path('elsewhere'));
      expect([imported.code, imported.err]).toEqual([0, expect.not.stringContaining('error')]);
      const [copy] = lab.runs(lab.path('elsewhere'));
      const [first] = readRun(copy).events.flatMap((e) => (e.kind === 'evaluation' ? [e.metrics] : []));
      const { best } = readRun(run).result as unknown as { best: Record<string, number> };
      expect(metricValue(first, 'rmse')).toBeCloseTo(best.rmse, 1);
    },
  );
});
