import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { evaluationsCsv, recordsCsv } from '../../../src/runs/records-csv';
import { runPaths } from '../../../src/runs/layout';
import { readRun } from '../../read-run';
import { readScalars, ScalarsWriter } from '../../../src/runs/curve/scalars';
import { writeStatus } from '../../../src/runs/status';
import { RunTail } from '../../../src/runs/run-tail';
import { SCALAR_COLUMNS, type RunStatus } from '../../../src/protocol/events';
import { scratchFolder } from '../../scratch';
import { specText } from '../specs';

const home = scratchFolder('tail');

let run = '';
let seq = 0;
beforeEach(() => {
  run = mkdtempSync(join(home, 'run-'));
  seq = 0;
});

const spec = () => writeFileSync(runPaths(run).spec, specText('tiny'));
const event = (fields: object) =>
  appendFileSync(runPaths(run).events, `${JSON.stringify({ v: 1, seq: seq++, t: seq, ...fields })}\n`);
const evaluation = (step: number) =>
  event({ kind: 'evaluation', step, epoch: step / 3, best: true, seconds: 0.1, metrics: { loss: 1 / step } });

/** Values that could lose digits as text. */
const record = (step: number, salt = 0) => ({
  step,
  time: 1.7e12 + step + salt,
  loss: Math.exp(-step / 7) + salt / 3,
  learningRate: 1e-3 / step,
  gradientNorm: step % 5 === 0 ? NaN : Math.sqrt(step),
  examples: 8,
  tokens: 99,
  seconds: 0.1,
  memory: 1e9,
});
function append(from: number, to: number, salt = 0, last?: number): void {
  const writer = ScalarsWriter.open(run, last);
  for (let step = from; step <= to; step++) writer.append(record(step, salt));
  writer.close();
}
const everything = (tail: RunTail) => SCALAR_COLUMNS.map((_, i) => [...columnOf(tail, i)]);
const columnOf = (tail: RunTail, i: number) => tail.rows(0).filter((_, k) => k % SCALAR_COLUMNS.length === i);
const onDisk = () => SCALAR_COLUMNS.map((c) => [...readScalars(run).column(c)!]);

describe('following a run folder', () => {
  it('starts before the folder contains anything and picks up each file as it appears', async () => {
    const tail = new RunTail(run);
    expect(await tail.look()).toEqual({});
    expect(tail.error).toBeUndefined();
    spec();
    expect(await tail.look()).toEqual({ events: undefined });
    expect(tail.summary?.spec.name).toBe('tiny');
    append(1, 4);
    evaluation(3);
    expect(await tail.look()).toEqual({ records: 0, events: 0 });
    append(5, 6);
    expect(await tail.look()).toEqual({ records: 4 });
    evaluation(6);
    expect((await tail.look()).events).toBe(1);
    expect(await tail.look()).toEqual({});
    mkdirSync(join(runPaths(run).checkpoints, 'step-000006'), { recursive: true });
    await tail.look();
    expect(tail.checkpoints).toEqual([6]);
    expect(everything(tail)).toEqual(onDisk());
    expect(tail.events).toEqual(readRun(run).events);
  });

  it('waits for the rest of an incomplete record and an incomplete line', async () => {
    spec();
    append(1, 3);
    const tail = new RunTail(run);
    await tail.look();
    const whole = new Uint8Array(Float64Array.from(Object.values(record(4))).buffer);
    appendFileSync(runPaths(run).scalars, whole.subarray(0, 50));
    appendFileSync(runPaths(run).events, '{"v":1,"seq":0,"t":1,"kind":"war');
    expect(await tail.look()).toEqual({ events: undefined });
    expect(tail.records).toBe(3);
    appendFileSync(runPaths(run).scalars, whole.subarray(50));
    appendFileSync(runPaths(run).events, 'ning","message":"m"}\n');
    expect(await tail.look()).toEqual({ records: 3, events: 0 });
    expect(everything(tail)).toEqual(onDisk());
  });

  it('drops the records after the step that a resume returned to, whether they are missing or already rewritten', async () => {
    spec();
    append(1, 9);
    evaluation(3);
    evaluation(9);
    const tail = new RunTail(run);
    await tail.look();
    append(5, 4, 0, 4);
    expect(await tail.look()).toEqual({ records: 4 });
    append(5, 9, 1);
    event({ kind: 'resumed', fromStep: 4, pid: 1, warnings: [] });
    expect(await tail.look()).toEqual({ records: 4, events: 1 });
    expect(tail.events.map((e) => e.kind)).toEqual(['evaluation', 'resumed']);
    // The file is truncated and grows beyond its old length between two reads.
    append(6, 30, 2, 5);
    const { records } = await tail.look();
    expect(records).toBeLessThanOrEqual(5);
    expect(everything(tail)).toEqual(onDisk());
  });

  it('reads a million records in one pass, each once and off this thread', async () => {
    spec();
    append(1, 1);
    const n = 1_000_000;
    const width = SCALAR_COLUMNS.length;
    const values = new Float64Array(n * width);
    for (let i = 0; i < n; i++) values[i * width] = i + 1;
    writeFileSync(runPaths(run).scalars, new Uint8Array(values.buffer));
    const tail = new RunTail(run);
    const file = await open(runPaths(run).scalars);
    const read = vi.spyOn(Object.getPrototypeOf(file) as typeof file, 'read');
    await file.close();
    const bytesRead = async () => {
      const all = await Promise.all(read.mock.results.map(({ value }) => value));
      read.mockClear();
      return all.reduce((sum, one) => sum + one.bytesRead, 0);
    };
    await tail.look();
    expect(tail.records).toBe(n);
    expect(tail.rows(n - 1)[0]).toBe(n);
    expect(await bytesRead()).toBe(n * width * 8);
    // Later data is read without the rest, together with the last record before it.
    appendFileSync(
      runPaths(run).scalars,
      new Uint8Array(Float64Array.from(Object.values(record(n + 1))).buffer),
    );
    expect((await tail.look()).records).toBe(n);
    expect(await bytesRead()).toBe(2 * width * 8);
    read.mockRestore();
  });

  it('reports damage, keeps the data that it has and recovers once the file is intact', async () => {
    spec();
    append(1, 5);
    const tail = new RunTail(run);
    await tail.look();
    writeFileSync(runPaths(run).status, '{"state":');
    await tail.look();
    expect(tail.error?.message).toContain('status.json is not valid JSON');
    expect(tail.error?.hint).toBeTruthy();
    expect(tail.records).toBe(5);
    rmSync(runPaths(run).status);
    append(6, 6);
    await tail.look();
    expect(tail.error).toBeUndefined();
    expect(tail.records).toBe(6);
    const writer = ScalarsWriter.open(run);
    writer.append(record(2));
    writer.close();
    await tail.look();
    expect(tail.error?.message).toContain('damaged at record 6: step 2 follows step 6');
  });

  it('reports steps that are missing in the curve until they are there', async () => {
    const tail = new RunTail(run);
    spec();
    append(1, 4);
    append(8, 9);
    await tail.look();
    expect(tail.error).toBeUndefined();
    expect(tail.records).toBe(6);
    expect(tail.curveError?.message).toContain('has no records of steps 5 to 7');
    append(5, 9, 0, 4);
    await tail.look();
    expect([tail.records, tail.curveError]).toEqual([9, undefined]);
  });

  it('reports steps that are missing at the end of the curve until a trainer writes them again', async () => {
    const tail = new RunTail(run);
    spec();
    append(1, 4);
    mkdirSync(join(runPaths(run).checkpoints, 'step-000009'), { recursive: true });
    await tail.look();
    expect([tail.records, tail.curveError?.message]).toEqual([
      4,
      expect.stringContaining('has no records of steps 5 to 9'),
    ]);
    const status = (state: RunStatus['state']) =>
      writeStatus(run, {
        state,
        step: 4,
        steps: 9,
        heartbeat: 0,
        startedAt: 0,
        pid: 1,
        host: 'h',
        nonce: 'n',
      });
    status('running');
    await tail.look();
    expect(tail.curveError).toBeUndefined();
    append(5, 9);
    status('stopped');
    await tail.look();
    expect(tail.curveError).toBeUndefined();
  });

  it('reports a curve that differs from its newest checkpoint', async () => {
    spec();
    append(1, 9);
    const { scalars, checkpoints } = runPaths(run);
    const writer = ScalarsWriter.open(run);
    writer.close();
    const state = join(checkpoints, 'step-000009');
    mkdirSync(state, { recursive: true });
    writeFileSync(join(state, 'state.json'), JSON.stringify({ curve: writer.sum() }));
    append(10, 11);
    const whole = new RunTail(run);
    await whole.look();
    expect([whole.records, whole.curveError]).toEqual([11, undefined]);
    const bytes = readFileSync(scalars);
    bytes[SCALAR_COLUMNS.length * 8 * 3 + 17] ^= 4;
    writeFileSync(scalars, bytes);
    const tail = new RunTail(run);
    await tail.look();
    expect(tail.error).toBeUndefined();
    expect(tail.curveError?.message).toContain('SHA-256 up to step 9 differs');
  });

  it('reports a removed folder and reads a new one in its place from the start', async () => {
    spec();
    append(1, 5);
    const tail = new RunTail(run);
    await tail.look();
    rmSync(run, { recursive: true });
    await tail.look();
    expect(tail.gone).toBe(true);
    expect(tail.error?.message).toContain('is gone');
    mkdirSync(run);
    spec();
    append(1, 8, 5);
    expect((await tail.look()).records).toBe(0);
    expect([tail.gone, tail.error]).toEqual([false, undefined]);
    expect(everything(tail)).toEqual(onDisk());
  });

  it('handles a file that was truncated to nothing', async () => {
    spec();
    append(1, 5);
    const tail = new RunTail(run);
    await tail.look();
    truncateSync(runPaths(run).scalars, 0);
    expect((await tail.look()).records).toBe(0);
    expect(tail.records).toBe(0);
  });
});

describe('exporting as CSV', () => {
  it('includes every record with all digits', async () => {
    append(1, 25);
    const scalars = readScalars(run);
    const tail = new RunTail(run);
    spec();
    await tail.look();
    const lines = (await recordsCsv(tail.columns, tail.rows(0))).trimEnd().split('\n');
    expect(lines[0]).toBe(SCALAR_COLUMNS.join(','));
    const read = lines.slice(1).map((line) => line.split(',').map(Number));
    SCALAR_COLUMNS.forEach((c, i) => expect(read.map((row) => row[i])).toEqual([...scalars.column(c)!]));
  });

  it('includes every evaluation', async () => {
    spec();
    evaluation(3);
    evaluation(7);
    const tail = new RunTail(run);
    await tail.look();
    const lines = evaluationsCsv(tail.events).trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe('step,epoch,loss,best,seconds,time');
    expect(Number(lines[2].split(',')[2])).toBe(1 / 7);
  });

  it('includes diverged evaluations with their numbers, and why in a separate column', async () => {
    spec();
    const metrics = { loss: 0.5, accuracy: 0.75, f1: 0.7, matthews: 0.4, examples: 24 };
    event({ kind: 'evaluation', step: 3, epoch: 1, best: true, seconds: 0.1, metrics });
    const diverged = { kind: 'diverged-evaluation', epoch: 2, seconds: 0.1 };
    event({ ...diverged, step: 6, reason: 'exploded', metrics: { ...metrics, loss: 1e9 } });
    event({ ...diverged, step: 9, reason: 'non-finite' });
    const tail = new RunTail(run);
    await tail.look();
    expect(evaluationsCsv(tail.events).trimEnd().split('\n')).toEqual([
      'step,epoch,loss,accuracy,f1,matthews,examples,best,diverged,seconds,time',
      '3,1,0.5,0.75,0.7,0.4,24,true,,0.1,1',
      '6,2,1000000000,0.75,0.7,0.4,24,false,exploded,0.1,2',
      '9,2,,,,,,false,non-finite,0.1,3',
    ]);
  });

  it('says which set each result is from if the run was scored on others', async () => {
    spec();
    const metrics = { loss: 0.5, accuracy: 0.75, examples: 24 };
    event({ kind: 'evaluation', step: 3, epoch: 1, best: true, seconds: 0.1, metrics });
    event({ kind: 'test-evaluation', step: 3, seconds: 0.2, metrics: { ...metrics, loss: 0.25 } });
    event({ kind: 'test-evaluation', step: 3, set: 'a, b', seconds: 0.3, metrics: 'diverged' });
    const tail = new RunTail(run);
    await tail.look();
    expect(evaluationsCsv(tail.events).trimEnd().split('\n')).toEqual([
      'set,step,epoch,loss,accuracy,examples,best,diverged,seconds,time',
      'validation,3,1,0.5,0.75,24,true,,0.1,1',
      'test,3,,0.25,0.75,24,,,0.2,2',
      '"evaluations.a, b",3,,,,,,non-finite,0.3,3',
    ]);
  });
});
