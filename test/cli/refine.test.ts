import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import type { ExportLine, ExportRecord } from '../../src/protocol/export';
import { readRun } from '../read-run';
import { CLI, Lab } from './lab';

const STEPS = 18;
const lab = new Lab({
  adapter: { dropout: 0.1 },
  training: { epochs: 2, learningRate: 0.03, checkpointEvery: 1000, metric: 'loss' },
});
afterAll(() => lab.remove());
const LORA = 'adapter={"method":"lora","rank":2,"targetModules":["query","value"]}';

function trained(out: string, ...settings: string[]): string {
  const set = settings.flatMap((s) => ['--set', s]);
  const r = lab.run('train', lab.experiment, '--out', lab.path(out), ...set);
  expect([r.code, r.err]).toEqual([0, expect.not.stringContaining('error')]);
  return lab.runs(lab.path(out))[0];
}

describe('aurora export --refine', () => {
  const aurora = trained('aurora');

  function refined(out: string): { lines: ExportLine[]; record: ExportRecord; folder: string } {
    const folder = lab.fresh(out);
    const r = lab.run(
      ...['export', aurora, '--as', 'peft-lora', '--refine', `${STEPS}`, '--accept-drop', '--json'],
      ...['--out', folder],
    );
    expect([r.code, r.err]).toEqual([0, '']);
    const lines = r.out.split('\n').flatMap((line) => (line ? [JSON.parse(line) as ExportLine] : []));
    const record = JSON.parse(readFileSync(join(folder, 'export.json'), 'utf8')) as ExportRecord;
    return { lines, record, folder };
  }

  it('trains the fit further, with its cost before the first step and a row in the report', () => {
    const { lines, record } = refined('refined');
    const kinds = lines.map(({ kind }) => kind);
    expect(kinds.indexOf('refine-evaluation')).toBeLessThan(kinds.indexOf('refine-cost'));
    expect(kinds.indexOf('refine-cost')).toBeLessThan(kinds.indexOf('refine-step'));
    expect(kinds.filter((kind) => kind === 'refine-step')).toHaveLength(STEPS);
    expect(lines.find((line) => line.kind === 'refine-cost')).toMatchObject({ steps: STEPS, evaluations: 2 });
    const { metrics, refinement, merge, drop, lossRise } = record;
    expect(merge).toBe('fitted');
    expect(refinement).toMatchObject({ steps: STEPS, of: STEPS });
    const { evaluations, best } = refinement!;
    expect(evaluations.map(({ step }) => step)).toEqual([0, 10, STEPS]);
    expect(evaluations[0].metrics.loss).toBeCloseTo(metrics.fitted!.loss, 5);
    const least = Math.min(...evaluations.map((e) => e.metrics.loss));
    expect(evaluations.find(({ step }) => step === best)!.metrics.loss).toBe(least);
    expect(metrics.refined!.loss).toBeCloseTo(least, 5);
    expect(metrics.exported.loss).toBeCloseTo(least, 5);
    expect(least).toBeLessThan(metrics.fitted!.loss);
    expect(lossRise!.mean).toBeCloseTo(metrics.refined!.loss - metrics.trained.loss, 5);
    expect(lossRise!.error).toBeGreaterThan(0);
    expect(drop.loss).toBeCloseTo(100 * (metrics.exported.loss / metrics.trained.loss - 1), 3);
  });

  it('gives the same files each time, which PEFT’s importer reads', () => {
    const [one, other] = [refined('one'), refined('other')];
    const values = ({ record }: typeof one) => record.files['adapter_model.safetensors'];
    expect(values(one)).toBe(values(other));
    const out = lab.fresh('imported');
    expect(lab.run('import', one.folder, '--experiment', lab.experiment, '--out', out).code).toBe(0);
    const [run] = lab.runs(out);
    const evaluation = readRun(run).events.find((e) => e.kind === 'evaluation');
    expect(evaluation).toMatchObject({
      metrics: { loss: expect.closeTo(one.record.metrics.refined!.loss, 5) },
    });
  });

  it('tells a terminal the cost, the row and whether the result reaches the adapter as trained', () => {
    const r = lab.run('export', aurora, '--as', 'onnx-merged', '--refine', '3', '--accept-drop');
    expect(r.code).toBe(0);
    expect(r.err).toMatch(/^Refining takes .*: 3 steps of .*, and an evaluation\.$/m);
    expect(r.out).toMatch(/\nfitted .*\nrefined .*\nthe paper’s merge /);
    expect(r.out).toMatch(/The result (reaches|does not reach) the adapter as trained/);
    expect(basename(/^Wrote (.*)$/m.exec(r.out)![1])).toMatch(/^onnx-merged-refined-step-/);
    const card = readFileSync(join(/^Wrote (.*)$/m.exec(r.out)![1], 'README.md'), 'utf8');
    expect(card).toMatch(/\| refined +\|/);
  });

  it('leaves nothing behind when canceled', async () => {
    const out = lab.fresh('canceled');
    const args = ['export', aurora, '--as', 'peft-lora', '--refine', '100000', '--json', '--out', out];
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
    for await (const line of createInterface({ input: child.stdout }))
      if ((JSON.parse(line) as ExportLine).kind === 'refine-step') child.kill('SIGINT');
    expect(await ended).toBe(EXIT.stopped);
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(lab.folder).filter((name) => name.startsWith('.canceled'))).toEqual([]);
    expect(readdirSync(aurora).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('refuses what has no fit, and what cannot be trained', () => {
    const problem = (run: string, ...args: string[]) => {
      const { code, err } = lab.run('export', run, ...args);
      return [code, err];
    };
    const says = (words: string) => expect.stringContaining(words);
    const { usage, inputs } = EXIT;
    expect(problem(aurora, '--as', 'adapter', '--refine', '5')).toEqual([
      usage,
      says(
        '--refine is for --as peft-lora, kohya, onnx-merged, safetensors, gguf-lora and gguf: adapter holds the adapters as trained.',
      ),
    ]);
    expect(problem(aurora, '--as', 'peft-lora', '--refine', '5', '--merge', 'paper')).toEqual([
      usage,
      says('--refine trains the linear fit further: it cannot be combined with --merge paper.'),
    ]);
    for (const [steps, words] of [
      ['0', '--refine takes a number of steps, 1 or more.'],
      ['1.5', '--refine takes a whole number, not "1.5".'],
    ])
      expect(problem(aurora, '--as', 'peft-lora', '--refine', steps)).toEqual([usage, says(words)]);
    expect(problem(trained('lora', LORA), '--as', 'peft-lora', '--refine', '5')).toEqual([
      usage,
      says('trained LoRA, which is exported exactly.'),
    ]);
    const rows = lab.read('train.jsonl');
    lab.write('train.jsonl', rows.split('\n').slice(1).join('\n'));
    expect(problem(aurora, '--as', 'peft-lora', '--refine', '5')).toEqual([
      inputs,
      says('cannot be refined, which trains on its training data.'),
    ]);
    lab.write('train.jsonl', rows);
  });
});
