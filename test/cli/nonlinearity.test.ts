import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Nonlinearity, type NonlinearityLine, parseNonlinearity } from '../../src/protocol/nonlinearity';
import { readRun } from '../read-run';
import { Lab, type Outcome } from './lab';

const lab = new Lab({
  model: { path: 'model.onnx', maxLength: 8 },
  training: { epochs: 3, learningRate: 0.02 },
});
afterAll(() => lab.remove());

/** A run in a separate folder, or beside others. */
function trained(out: string, ...settings: string[]): string {
  const set = settings.flatMap((s) => ['--set', s]);
  const r = lab.run('train', lab.experiment, '--out', lab.path(out), ...set);
  expect([r.code, r.err]).toEqual([0, expect.any(String)]);
  return lab.runs(lab.path(out)).at(-1)!;
}

const HEAD_ONLY = 'adapter={"method":"none"}';
const lines = ({ out }: Outcome) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as NonlinearityLine);

function read(file: string): Nonlinearity {
  const result = parseNonlinearity(JSON.parse(readFileSync(file, 'utf8')));
  if (!result) throw new Error(`${file} is damaged`);
  return result;
}

function measured(run: string, ...more: string[]) {
  const r = lab.run('nonlinearity', run, '--json', ...more);
  expect([r.code, r.err]).toEqual([0, '']);
  const all = lines(r);
  const last = all.at(-1)!;
  if (last.kind !== 'result') throw new Error(r.out);
  return { lines: all, file: last.file, result: read(last.file) };
}

const passes = (all: readonly NonlinearityLine[]) => all.flatMap((l) => (l.kind === 'measuring' ? [l] : []));

function refused({ code, err }: Outcome, exit: number, message: string, hint: string): void {
  expect(code).toBe(exit);
  expect(err).toContain(message);
  expect(err).toContain(hint);
}

describe('aurora nonlinearity', () => {
  let run: string;
  let first: ReturnType<typeof measured>;
  beforeAll(() => {
    run = trained('runs');
    first = measured(run);
  });

  it('measures the loss as trained, fitted and without adapters, and each layer alone', () => {
    const { result } = first;
    const { best } = readRun(run).result as { best: { step: number; loss: number; accuracy: number } };
    expect(result).toMatchObject({ step: best.step, method: 'aurora', examples: 24, of: 24, head: true });
    expect(result.trained.loss).toBeCloseTo(best.loss, 5);
    expect(result.trained.accuracy).toBeCloseTo(best.accuracy, 9);
    // The means of the paired differences are the differences of the losses.
    expect(result.lost.mean).toBeCloseTo(result.fitted.loss - result.trained.loss, 5);
    expect(result.gain.mean).toBeCloseTo(result.removed.loss - result.trained.loss, 5);
    expect(result.layers.map(({ path }) => path)).toEqual([
      expect.stringMatching(/layer\.0\..*query$/),
      expect.stringMatching(/layer\.0\..*value$/),
      expect.stringMatching(/layer\.1\..*query$/),
      expect.stringMatching(/layer\.1\..*value$/),
    ]);
    for (const { r2, M, c, rise } of result.layers) {
      expect(r2).toBeLessThanOrEqual(1);
      expect([M.length, c.length]).toEqual([4, 2]);
      expect(rise!.error).toBeGreaterThan(0);
      expect(rise!.half).toBeCloseTo(2.0687 * rise!.error, 4);
    }
    expect(result.headOnly).toBeUndefined();
  });

  it('shows its passes, with the time that is left after the first', () => {
    const shown = passes(first.lines);
    expect(shown.map(({ done, of, examples }) => [done, of, examples])).toEqual(
      Array.from({ length: 7 }, (_, i) => [i, 7, 24]),
    );
    expect(shown[0].secondsLeft).toBeUndefined();
    for (const { secondsLeft } of shown.slice(1)) expect(secondsLeft).toBeGreaterThan(0);
    expect(first.lines.some(({ kind }) => kind === 'fitting')).toBe(true);
  });

  it('keeps its result, and gives the same numbers again', () => {
    const bytes = readFileSync(first.file);
    expect(measured(run).lines.map(({ kind }) => kind)).toEqual(['result']);
    expect(passes(measured(run, '--again').lines)).toHaveLength(7);
    expect(readFileSync(first.file).equals(bytes)).toBe(true);
    writeFileSync(first.file, bytes.subarray(0, 200));
    expect(passes(measured(run).lines)).toHaveLength(7);
    expect(readFileSync(first.file).equals(bytes)).toBe(true);
    const printed = lab.run('nonlinearity', run);
    expect(printed.out).toContain(
      'Measured on all 24 validation examples. Fitted on up to 4,096 training tokens',
    );
    expect(printed.out).toContain(`Full results: ${first.file}`);
  });

  it('measures fewer examples, and no layers, on request', () => {
    const fewer = measured(run, '--examples', '10', '--no-layers').result;
    expect([fewer.examples, fewer.of]).toEqual([10, 24]);
    expect(fewer.trained.examples).toBe(10);
    expect(fewer.layers.map(({ rise }) => rise)).toEqual(Array(4).fill(undefined));
    // All of it includes both.
    expect(measured(run).result).toEqual(first.result);
    expect(measured(run, '--no-layers').lines).toHaveLength(1);
  });

  it('compares with the best run of a head alone that has the same seed', () => {
    const other = trained('runs', HEAD_ONLY, 'training.seed=8');
    expect(measured(run, '--again').result.headOnly).toBeUndefined();
    rmSync(other, { recursive: true });
    const head = trained('runs', HEAD_ONLY);
    const { result } = measured(run, '--again');
    const { best } = readRun(head).result as { best: { step: number; loss: number } };
    expect(result.headOnly).toMatchObject({ run: head, step: best.step });
    expect(result.headOnly!.metrics.loss).toBeCloseTo(best.loss, 5);
    expect(result.headGain!.mean).toBeCloseTo(result.headOnly!.metrics.loss - result.trained.loss, 5);
    refused(lab.run('nonlinearity', head), 20, 'trains only a head', 'Choose a run with an adapter');
    rmSync(head, { recursive: true });
    measured(run, '--again');
  });

  it.each(['lora', 'dora', 'sinelora'])('loses exactly nothing with %s, which is linear', (method) => {
    const { result, lines: all } = measured(
      trained(method, `adapter={"method":"${method}","targetModules":["query","value"]}`),
    );
    expect(result).toMatchObject({
      method,
      linear: 'method',
      lost: { mean: 0, error: 0, half: 0 },
      layers: [],
    });
    expect(result.fitted).toEqual(result.trained);
    expect(result.gain.mean).not.toBe(0);
    expect(passes(all)).toHaveLength(2);
  });

  it('loses nothing if the static form was trained last', () => {
    const merged = trained('static', 'training.staticEpochs=1');
    expect(measured(merged).result).toMatchObject({ form: 'static', linear: 'static', lost: { mean: 0 } });
    expect(lab.run('nonlinearity', merged).out).toMatch(/^The static form was trained last\./);
  });

  it('measures again if the validation data changed, and says so', () => {
    const text = lab.read('validation.jsonl');
    lab.write('validation.jsonl', text.replace('"pets"', '"other"'));
    const r = lab.run('nonlinearity', run);
    expect(r.out).toContain('warning: The validation data');
    lab.write('validation.jsonl', text);
    expect(measured(run).result).toEqual(first.result);
  });

  it('names training data that are missing', () => {
    const text = lab.read('train.jsonl');
    rmSync(lab.path('train.jsonl'));
    const there = lab.run('nonlinearity', run, '--again');
    rmSync(join(run, 'fit'), { recursive: true });
    const gone = lab.run('nonlinearity', run, '--again');
    lab.write('train.jsonl', text);
    // A kept fit needs no training data.
    expect(there.code).toBe(0);
    refused(gone, 25, 'made on the training data', 'Put the data back as they were.');
    expect(measured(run, '--again').result).toEqual(first.result);
  });

  it('names bad arguments', () => {
    refused(
      lab.run('nonlinearity', run, '--examples', '1'),
      2,
      '--examples takes a whole number',
      'two examples',
    );
    refused(lab.run('nonlinearity', run, '--at', 'now'), 2, '--at takes best, last', 'checkpoints');
    refused(lab.run('nonlinearity', run, '--at', '999'), 20, 'has no checkpoint of step 999', 'It has');
    refused(lab.run('nonlinearity'), 2, 'needs one run folder', '--help');
  });

  it('leaves nothing behind when canceled', async () => {
    lab.write('long.jsonl', lab.read('validation.jsonl').repeat(400));
    const long = trained('long', 'data.validation=long.jsonl', 'training.evaluateEvery=1000');
    // The fit is kept even if the rest is canceled.
    measured(long, '--examples', '2', '--no-layers');
    const before = new Set(readdirSync(long));
    const leftovers = () => readdirSync(long).filter((name) => !before.has(name));
    const child = lab.start('nonlinearity', long, '--examples', '9600');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await vi.waitFor(() => expect(leftovers()).toHaveLength(1), { timeout: 900_000, interval: 5 });
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(leftovers()).toEqual([]);
    expect(existsSync(join(long, 'nonlinearity'))).toBe(true);
  });
});
