import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { spawn } from 'node:child_process';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readInputs, writeInputs } from '../../src/runs/inputs';
import { createRun, runPaths } from '../../src/runs/layout';
import { readStatus } from '../../src/runs/status';
import { readSweep, type SweepRecord } from '../../src/runs/sweep/record';
import type { Settings } from '../../src/experiment/sweep';
import { CLI, Lab, suspend } from './lab';
import { until } from '../until';

const labs: Lab[] = [];
afterAll(() => labs.forEach((lab) => lab.remove()));

const ONE_AT_A_TIME = ['--parallel', '1', '--device', 'cpu'];

function labOf(training: object, ...trials: Settings[]): Lab {
  const lab = new Lab({ training: { evaluateEvery: 4, ...training }, sweep: { type: 'list', trials } });
  labs.push(lab);
  return lab;
}

/** Adds trials to the section. The rest of the experiment, and therefore the sweep, stays the same. */
function add(lab: Lab, ...trials: Settings[]): void {
  const experiment = JSON.parse(lab.read('tiny.aurora.json')) as { sweep: { trials: Settings[] } };
  experiment.sweep.trials.push(...trials);
  lab.write('tiny.aurora.json', JSON.stringify(experiment));
}

const sweep = (lab: Lab, ...more: string[]) => lab.run('sweep', lab.experiment, ...ONE_AT_A_TIME, ...more);
const runsOf = (lab: Lab) => lab.path('.aurora/runs/tiny');
const runs = (lab: Lab) => (existsSync(runsOf(lab)) ? readdirSync(runsOf(lab)).length : 0);

function folderOf(lab: Lab): string {
  const sweeps = lab.path('.aurora/sweeps/tiny');
  const names = readdirSync(sweeps);
  expect(names).toHaveLength(1);
  return join(sweeps, names[0]!);
}

const recordOf = (lab: Lab): SweepRecord => readSweep(folderOf(lab))!;

const withoutFirstLine = (text: string) => text.split('\n').slice(1).join('\n');

describe.runIf(process.platform === 'linux')('a trial whose model is truncated', () => {
  it('is reported with the reason when the system kills its trainer, and refuses to continue', async () => {
    const lab = labOf({ epochs: 40_000, evaluateEvery: 100_000 }, {});
    const model = lab.path('model.onnx');
    const { size } = statSync(model);
    const queue = spawn(process.execPath, [CLI, 'sweep', lab.experiment, ...ONE_AT_A_TIME], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let words = '';
    for (const stream of [queue.stdout, queue.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (words += text));
    const ended = new Promise<number | null>((resolve) => queue.once('close', resolve));
    const run = () => readdirSync(runsOf(lab)).map((name) => join(runsOf(lab), name))[0]!;
    await until(() => runs(lab) > 0 && existsSync(join(run(), 'checkpoints/step-000003')));
    const { pid } = readStatus(run())!;
    await suspend(pid);
    truncateSync(model, 5000);
    process.kill(pid, 'SIGBUS');
    process.kill(pid, 'SIGCONT');
    await ended;
    const why = `model\\.onnx was changed while it was read \\(SIGBUS\\): it has 5,000 bytes instead of ${size.toLocaleString('en-US')}`;
    expect(words).toMatch(new RegExp(`#1 .+ · lost(?: at step \\d+)? \\(the model .+${why}\\)`));
    expect(words).toMatch(/#1 .+ · failed.+ The model .+ has changed while the run was training\./);
    const log = readFileSync(runPaths(run()).log, 'utf8');
    expect(log).toMatch(new RegExp(`The last trainer of the run ended unexpectedly at step \\d+: .+${why}`));
  }, 180_000);
});

describe('new trials of a sweep with changed files', () => {
  it('are rejected until the files are restored, or accepted and recorded', () => {
    const lab = labOf({ epochs: 1 }, {});
    expect(sweep(lab).code).toBe(0);
    const first = readInputs(join(runsOf(lab), recordOf(lab).trials[0]!.run!))!;
    expect(recordOf(lab).inputs).toEqual(first.files);

    add(lab, { 'training.seed': 1 });
    const data = lab.read('train.jsonl');
    lab.write('train.jsonl', withoutFirstLine(data));
    const refused = sweep(lab);
    expect([refused.code, refused.err]).toEqual([
      25,
      expect.stringMatching(
        /No trial was started.+\n?.*The training data .+train\.jsonl have changed\.[^]+--accept-changed-inputs/,
      ),
    ]);
    expect([runs(lab), readStatus(folderOf(lab))?.state]).toEqual([1, 'failed']);

    lab.write('train.jsonl', data);
    expect(sweep(lab).code).toBe(0);
    expect([runs(lab), recordOf(lab).acceptedInputs]).toEqual([2, undefined]);

    add(lab, { 'training.seed': 2 });
    const tokenizer = lab.read('tokenizer.json');
    lab.write('tokenizer.json', `${tokenizer} `);
    expect(sweep(lab).code).toBe(25);
    const accepted = sweep(lab, '--accept-changed-inputs');
    expect([accepted.code, accepted.out]).toEqual([
      0,
      expect.stringMatching(
        /From #3 .+ on.+changed files: The tokenizer file .+tokenizer\.json has changed\./,
      ),
    ]);
    const { acceptedInputs, inputs } = recordOf(lab);
    const sum = (path: string) => inputs!.find((f) => basename(f.path) === path)!.sha256;
    expect(acceptedInputs).toEqual([
      {
        trial: 3,
        at: expect.any(Number) as number,
        files: [
          {
            role: 'tokenizer',
            path: lab.path('tokenizer.json'),
            before: first.files.find((f) => basename(f.path) === 'tokenizer.json')!.sha256,
            after: sum('tokenizer.json'),
          },
        ],
      },
    ]);

    // From then on, trials are compared with the accepted files.
    add(lab, { 'training.seed': 3 });
    expect(sweep(lab).code).toBe(0);
    expect(runs(lab)).toBe(4);
    lab.write('tokenizer.json', tokenizer);
    add(lab, { 'training.seed': 4 });
    expect(sweep(lab).code).toBe(25);
  }, 180_000);

  it('are compared by the files that each of them reads', () => {
    const lab = labOf({ epochs: 1 }, {}, { 'data.train': 'other.jsonl' });
    const other = lab.read('train.jsonl').split('\n').slice(8).join('\n');
    lab.write('other.jsonl', other);
    expect(sweep(lab).code).toBe(0);
    const names = recordOf(lab).inputs!.map(({ path }) => basename(path));
    expect(names).toEqual(expect.arrayContaining(['train.jsonl', 'other.jsonl', 'model.onnx']));

    lab.write('other.jsonl', withoutFirstLine(other));
    add(lab, { 'training.seed': 1 });
    expect(sweep(lab).code).toBe(0);
    add(lab, { 'data.train': 'other.jsonl', 'training.seed': 1 });
    const refused = sweep(lab);
    expect([refused.code, refused.err]).toEqual([25, expect.stringContaining('other.jsonl have changed')]);
    expect(runs(lab)).toBe(3);
  }, 180_000);

  it('are not started while the sweep is running either', async () => {
    // Much longer than the test takes.
    const lab = labOf({ epochs: 40_000, checkpointEvery: 3 }, {}, { 'training.seed': 1 });
    const queue = spawn(process.execPath, [CLI, 'sweep', lab.experiment, ...ONE_AT_A_TIME, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    queue.stdout.on('data', (text: Buffer) => (out += text.toString()));
    queue.stderr.on('data', (text: Buffer) => (err += text.toString()));
    const ended = new Promise<number | null>((done) => queue.once('close', done));
    await until(() => lab.begun(runsOf(lab), 'checkpoints/step-000003'));
    lab.write('validation.jsonl', withoutFirstLine(lab.read('validation.jsonl')));
    const [run] = lab.runs(runsOf(lab));
    mkdirSync(runPaths(run!).control, { recursive: true });
    writeFileSync(join(runPaths(run!).control, 'stop'), '');
    expect([await ended, err]).toEqual([25, expect.stringContaining('The validation data')]);
    expect(out).toContain('"state":"stopped"');
    expect(recordOf(lab).ended).toMatchObject({
      kind: 'inputs',
      message: expect.stringContaining('The validation data') as string,
    });
    expect(lab.runs(runsOf(lab))).toEqual([run]);
    expect(readFileSync(runPaths(run!).events, 'utf8')).not.toContain('"kind":"failed"');
  });

  it('train on nothing but the compared files', () => {
    const lab = labOf({ epochs: 1 }, {});
    expect(sweep(lab).code).toBe(0);
    const { files } = readInputs(join(runsOf(lab), recordOf(lab).trials[0]!.run!))!;
    const run = createRun(runsOf(lab));
    const others = files.map((f) => (f.role === 'train' ? { ...f, sha256: 'f'.repeat(64) } : f));
    writeInputs(run, { version: 1, since: 0, files: others });
    const refused = lab.run('train', lab.experiment, '--run', run);
    expect([refused.code, refused.err]).toEqual([25, expect.stringContaining('train.jsonl have changed')]);
    expect(readStatus(run)?.state).toBe('failed');
  });
});
