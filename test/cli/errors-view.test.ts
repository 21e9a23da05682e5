import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { loadTokenizer } from '../../src/data/text/tokenizer';
import { readRun } from '../read-run';
import {
  encodePredictions,
  parsePredictions,
  type Predictions,
  type PredictLine,
} from '../../src/protocol/predictions';
import type { LabelAnswers } from '../../src/protocol/answers/label';
import { Lab, type Outcome } from './lab';

const lab = new Lab({
  model: { path: 'model.onnx', maxLength: 8 },
  training: { epochs: 2, learningRate: 0.003 },
});
afterAll(() => lab.remove());

function trained(out: string, ...settings: string[]): string {
  const set = settings.flatMap((s) => ['--set', s]);
  expect(lab.run('train', lab.experiment, '--out', lab.path(out), ...set).code).toBe(0);
  return lab.runs(lab.path(out))[0];
}

const HEAD_ONLY = ['adapter={"method":"none"}'];
const parsed = <T>(text: string): T[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
const lines = ({ out }: Outcome) => parsed<PredictLine>(out);
function read(file: string): Predictions & LabelAnswers {
  const predictions = parsePredictions(file, readFileSync(file, 'utf8'));
  if (predictions.answer !== 'label') throw new Error(`${file}: ${predictions.answer}`);
  return predictions;
}

/** The predictions of a run's state, and their file. */
function predicted(run: string, ...more: string[]) {
  const r = lab.run('errors', run, '--json', ...more);
  expect([r.code, r.err]).toEqual([0, '']);
  const result = lines(r).at(-1)!;
  if (result.kind !== 'result') throw new Error(r.out);
  // The number of partial results depends on the machine.
  const kinds = lines(r).flatMap((l) => (l.kind === 'partial' ? [] : [l.kind]));
  return { ...result, kinds, predictions: read(result.file) };
}

function refused({ code, err }: Outcome, exit: number, message: string, hint: string): void {
  expect(err).toContain(message);
  expect(err).toMatch(new RegExp(`\\n {7}.*${hint}`));
  expect(err).not.toMatch(/unexpected|undefined/);
  expect(code).toBe(exit);
}

/**
 * Runs each validation text alone through an exported model and returns the probabilities of its two labels
 * and the number of tokens read.
 */
async function alone(run: string) {
  const out = lab.path('exported');
  expect(lab.run('export', run, '--as', 'onnx-dynamic', '--out', out).code).toBe(0);
  const session = await InferenceSession.create(join(out, 'model.onnx'));
  const tokenizer = loadTokenizer(lab.path('tokenizer.json'));
  const seen: { p: [number, number]; tokens: number; cut: boolean }[] = [];
  for (const { text } of rows()) {
    const { ids, truncated: cut } = tokenizer.encode(text, 8);
    const tensor = (values: number[]) =>
      new Tensor('int64', BigInt64Array.from(values, BigInt), [1, ids.length]);
    const given = { input_ids: ids, attention_mask: ids.map(() => 1), token_type_ids: ids.map(() => 0) };
    const feeds = Object.fromEntries(
      session.inputNames.map((name) => [name, tensor(given[name as keyof typeof given])]),
    );
    const logits = (await session.run(feeds)).logits.data as Float32Array;
    const [a, b] = logits;
    seen.push({ p: [1 / (1 + Math.exp(b - a)), 1 / (1 + Math.exp(a - b))], tokens: ids.length, cut });
  }
  await session.release();
  return seen;
}

const rows = () =>
  parsed<{ text: string; label: string }>(readFileSync(lab.path('validation.jsonl'), 'utf8'));

describe('aurora errors', () => {
  const run = trained('aurora');

  it('matches what the model predicts for each text alone', async () => {
    const { predictions, step, kinds } = predicted(run);
    expect(kinds).toEqual(['predicting', 'result']);
    const { columns: c, labels, metrics, form } = predictions;
    expect([step, form, labels]).toEqual([predictions.step, 'dynamic', ['other', 'pets']]);
    // As measured by the run.
    const { result, events } = readRun(run);
    const { step: best, ...measured } = result!.best as Predictions['metrics'] & { step: number };
    expect([step, metrics, predictions.evaluation]).toEqual([best, measured, measured]);
    expect(events.findLast((e) => e.kind === 'evaluation' && e.best)).toMatchObject({ step });
    const seen = await alone(run);
    const data = rows();
    expect(c.line.length).toBe(data.length);
    seen.forEach(({ p, tokens, cut }, i) => {
      const label = labels.indexOf(data[i].label);
      expect([c.line[i], c.label[i]]).toEqual([i + 1, label]);
      expect(c.predicted[i]).toBe(p[1] > p[0] ? 1 : 0);
      expect(c.probability[i]).toBeCloseTo(Math.max(...p), 4);
      expect(c.truth[i]).toBeCloseTo(p[label], 4);
      expect(c.loss[i]).toBeCloseTo(-Math.log(p[label]), 3);
      expect(c.margin[i]).toBeCloseTo(Math.abs(p[0] - p[1]), 4);
      expect([c.tokens[i], c.cut[i]]).toEqual([tokens, Number(cut)]);
    });
    expect(c.cut).toContain(1);
    expect(c.cut).toContain(0);
    const mean = c.loss.reduce((a, b) => a + b, 0) / c.loss.length;
    expect(mean).toBeCloseTo(metrics.loss, 5);
    const right = c.label.filter((l, i) => l === c.predicted[i]).length;
    expect(right / c.label.length).toBeCloseTo(metrics.accuracy!, 12);
    expect(right).toBeLessThan(c.label.length);
    for (const { example, text } of predictions.excerpts) expect(text).toBe(data[example].text);
    expect(predictions.excerpts).toHaveLength(data.length);
    expect(readdirSync(run).filter((name) => name.startsWith('predictions'))).toEqual(['predictions']);
  });

  it('prints the confused labels, the results by length and label, and the most informative texts', () => {
    const { predictions, file } = predicted(run);
    const { columns: c } = predictions;
    const r = lab.run('errors', run, '--top', '3');
    expect([r.code, r.err]).toEqual([0, '']);
    const right = c.label.filter((l, i) => l === c.predicted[i]).length;
    expect(r.out).toContain(`Step ${predictions.step}: ${right} of 24 validation examples are right`);
    const wrong = [...r.out.matchAll(/^ {2}(?:pets|other) +(?:pets|other) +(\d+)/gm)].map((m) =>
      Number(m[1]),
    );
    expect(wrong.reduce((a, b) => a + b, 0)).toBe(24 - right);
    for (const heading of ['By length', 'By label, worst first']) {
      const part = r.out.slice(r.out.indexOf(heading)).split('\n\n')[0].split('\n').slice(2);
      const counts = part.map((line) => Number(/^ {2}(?:\S+|\d+ to \d+) +(\d+) /.exec(line)![1]));
      expect(counts.reduce((a, b) => a + b, 0)).toBe(24);
    }
    const worst = [...c.loss.keys()]
      .filter((i) => c.label[i] !== c.predicted[i])
      .sort((a, b) => c.loss[b] - c.loss[a]);
    const told = [...r.out.matchAll(/^ {2}line (\d+): /gm)].map((m) => Number(m[1]));
    expect(told).toHaveLength(3);
    expect(told[0]).toBe(c.line[worst[0]]);
    expect(r.out).toContain(file);
    expect(lab.run('errors', run, '--top', '0').out).not.toContain('line ');
  });

  it('always writes the same file, and reuses an existing one', () => {
    const { file } = predicted(run);
    const bytes = readFileSync(file);
    expect(predicted(run).kinds).toEqual(['result']);
    expect(predicted(run, '--again').kinds).toEqual(['predicting', 'result']);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    rmSync(file);
    expect(predicted(run).kinds).toEqual(['predicting', 'result']);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  it('predicts again if the data changed or the file is from another step', () => {
    const before = predicted(run);
    const text = readFileSync(lab.path('validation.jsonl'), 'utf8');
    lab.write('validation.jsonl', text.replace('"pets"', '"other"'));
    const changed = predicted(run);
    expect(changed.kinds).toEqual(['predicting', 'result']);
    expect(changed.predictions.columns.label[1]).not.toBe(before.predictions.columns.label[1]);
    lab.write('validation.jsonl', text);
    predicted(run);
    const other = predicted(run, '--at', '3');
    expect(other.step).toBe(3);
    expect(other.predictions.evaluation).toBeUndefined();
    renameSync(other.file, before.file);
    expect(predicted(run).kinds).toEqual(['predicting', 'result']);
    expect(predicted(run).predictions).toEqual(before.predictions);
  });

  it('reports a step that was not kept and a run without training', () => {
    refused(
      lab.run('errors', run, '--at', '1'),
      20,
      `${run} has no checkpoint of step 1`,
      'It has checkpoints of steps',
    );
    refused(lab.run('errors', run, '--at', 'now'), 2, '--at takes best, last or the step', 'checkpoints');
    expect(lab.run('errors', run, '--top', 'all')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--top takes a whole number'),
    });
    lab.write('begun/spec.json', readFileSync(join(run, 'spec.json')));
    refused(lab.run('errors', lab.path('begun')), 20, 'has not been evaluated yet', 'its first evaluation');
    refused(
      lab.run('errors', lab.path('none')),
      20,
      `There is no run folder ${lab.path('none')}`,
      'aurora/runs',
    );
    const r = lab.run('errors', run, '--at', '1', '--json');
    expect(lines(r)).toEqual([
      expect.objectContaining({ kind: 'problem', severity: 'error' }),
      { error: expect.objectContaining({ kind: 'run', code: 20 }) },
    ]);
    expect(r.code).toBe(20);
    expect(readdirSync(run).filter((name) => name.startsWith('predictions-'))).toEqual([]);
  });

  it('reports a damaged file and replaces it on request', () => {
    const { file } = predicted(run);
    truncateSync(file, 300);
    refused(lab.run('errors', run), 20, `${file} does not hold`, '--again');
    expect(predicted(run, '--again').predictions.columns.line).toHaveLength(24);
  });

  it('leaves nothing behind when canceled', async () => {
    lab.write('long.jsonl', readFileSync(lab.path('validation.jsonl'), 'utf8').repeat(400));
    const long = trained('long', ...HEAD_ONLY, 'data.validation=long.jsonl', 'training.evaluateEvery=1000');
    const before = new Set(readdirSync(long));
    const leftovers = () => readdirSync(long).filter((name) => !before.has(name));
    const child = lab.start('errors', long);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await vi.waitFor(() => expect(leftovers()).toHaveLength(1), { timeout: 900_000, interval: 5 });
    child.kill('SIGTERM');
    expect(await ended).toBe(130);
    expect(leftovers()).toEqual([]);
  });

  it('supports a run that trained only the head', () => {
    const head = trained('head', ...HEAD_ONLY);
    const { predictions } = predicted(head);
    const { step: best, ...measured } = readRun(head).result!.best as Predictions['metrics'] & {
      step: number;
    };
    expect(predictions.step).toBe(best);
    for (const name of ['loss', 'accuracy', 'f1', 'macroF1', 'weightedF1', 'matthews'] as const)
      expect(predictions.metrics[name]).toBeCloseTo(measured[name]!, 5);
  });

  it('takes the best or last adapter for its step if the checkpoint is gone', () => {
    const gone = trained('gone');
    const before = predicted(gone);
    rmSync(join(gone, 'checkpoints'), { recursive: true });
    const after = predicted(gone, '--at', String(before.step), '--again');
    expect(after.kinds).toEqual(['predicting', 'result']);
    expect(after.predictions).toEqual(before.predictions);
  });

  it('predicts in the static form if that was trained last', () => {
    const merged = trained('static', 'training.staticEpochs=1');
    expect(predicted(merged).predictions.form).toBe('static');
    expect(predicted(merged, '--at', '3').predictions.form).toBe('dynamic');
    expect(lab.run('errors', merged).out).toMatch(/^Step \d+, static form: /);
  });

  it('does not need the training data', () => {
    const away = lab.path('train.jsonl.away');
    renameSync(lab.path('train.jsonl'), away);
    const r = lab.run('errors', run, '--again');
    renameSync(away, lab.path('train.jsonl'));
    expect([r.code, r.out]).toEqual([0, expect.stringContaining('validation examples are right')]);
  });

  it('escapes control characters from labels and texts', () => {
    const { predictions, file } = predicted(run);
    const labels = ['other\u001b[2J', 'pets\nand more'];
    const excerpts = predictions.excerpts.map((e) => ({ ...e, text: `\u001b]0;pwned\u0007${e.text}` }));
    writeFileSync(file, encodePredictions({ ...predictions, labels, excerpts }));
    const r = lab.run('errors', run);
    expect(r.out).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(r.out).toContain('other\\u001b[2J');
    expect(r.out).toContain('pets\\u000aand more');
    expect(r.out).toContain('\\u001b]0;pwned\\u0007');
  });

  it('shows earlier predictions if the data are gone, but cannot compute new ones', () => {
    const { file } = predicted(run);
    const data = lab.path('validation.jsonl');
    renameSync(data, `${data}.away`);
    expect(predicted(run).kinds).toEqual(['result']);
    rmSync(file);
    refused(lab.run('errors', run), 12, `${data} does not exist`, 'data.validation');
    expect(existsSync(file)).toBe(false);
    renameSync(`${data}.away`, data);
  });
});
