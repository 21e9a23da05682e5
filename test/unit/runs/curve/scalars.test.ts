import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CurveSum } from '../../../../src/runs/curve/curve';
import { runPaths } from '../../../../src/runs/layout';
import { type ScalarRecord, ScalarsWriter, readScalars } from '../../../../src/runs/curve/scalars';
import { SCALAR_COLUMNS } from '../../../../src/protocol/events';
import { temporaryFolders } from '../folder';

const folder = temporaryFolders();
const WIDTH = SCALAR_COLUMNS.length * 8;

const record = (step: number): ScalarRecord => ({
  step,
  time: 1e12 + step,
  loss: 1 / step,
  learningRate: 1e-3,
  gradientNorm: Math.SQRT2,
  examples: 32,
  tokens: 4096,
  seconds: 0.1,
  memory: 2 ** 31,
});

function write(run: string, from: number, to: number, lastStep?: number): void {
  const writer = ScalarsWriter.open(run, lastStep);
  for (let step = from; step <= to; step++) writer.append(record(step));
  writer.flush();
  writer.close();
}
function damage(run: string, step: number, known: CurveSum | undefined): string | undefined {
  const writer = ScalarsWriter.open(run, step, known);
  writer.close();
  return writer.damage;
}
function sumOf(run: string): CurveSum {
  const writer = ScalarsWriter.open(run);
  writer.close();
  return writer.sum();
}
const steps = (run: string) => [...(readScalars(run).column('step') ?? [])];

describe('the training curve file', () => {
  it('preserves every column exactly', () => {
    const run = folder();
    write(run, 1, 3);
    const scalars = readScalars(run);
    expect(scalars.columns).toEqual(SCALAR_COLUMNS);
    expect(scalars.records).toBe(3);
    for (const column of SCALAR_COLUMNS)
      expect([...scalars.column(column)!]).toEqual([1, 2, 3].map((step) => record(step)[column]));
    expect(scalars.column('height')).toBeUndefined();
  });

  it('has no records before the first step', () => {
    expect(readScalars(folder()).records).toBe(0);
    const run = folder();
    write(run, 1, 0);
    expect(readScalars(run).records).toBe(0);
  });

  it('ignores an incomplete last record when reading and removes it before appending', () => {
    for (let torn = 0; torn < WIDTH; torn += 5) {
      const run = folder();
      write(run, 1, 2);
      appendFileSync(runPaths(run).scalars, Buffer.alloc(torn, 0x55));
      expect(steps(run)).toEqual([1, 2]);
      write(run, 3, 3);
      expect(steps(run)).toEqual([1, 2, 3]);
      expect(statSync(runPaths(run).scalars).size).toBe(3 * WIDTH);
    }
  });

  it('loses the steps after the checkpoint on a resume, and only those', () => {
    for (const last of [0, 1, 4, 7, 9, 100]) {
      const run = folder();
      write(run, 1, 9);
      truncateSync(runPaths(run).scalars, 9 * WIDTH - 1);
      write(run, last + 1, last + 1, last);
      expect(steps(run)).toEqual([...[1, 2, 3, 4, 5, 6, 7, 8].filter((s) => s <= last), last + 1]);
    }
  });

  it('is reported as damaged if records below the checkpoint are missing', () => {
    for (const left of [0, 1, 5]) {
      const run = folder();
      write(run, 1, 9);
      const known = sumOf(run);
      truncateSync(runPaths(run).scalars, left * WIDTH);
      // Older checkpoints only have a step.
      for (const said of [known, undefined])
        expect(damage(run, 9, said)).toContain(`has no records of steps ${left + 1} to 9`);
    }
  });

  it('is reported as damaged for a flipped bit anywhere below the checkpoint, and keeps every record', () => {
    for (let at = 3; at < 9 * WIDTH; at += 41) {
      const run = folder();
      write(run, 1, 9);
      const known = sumOf(run);
      write(run, 10, 12);
      const bytes = readFileSync(runPaths(run).scalars);
      bytes[at] ^= 1 << (at % 8);
      writeFileSync(runPaths(run).scalars, bytes);
      expect(damage(run, 9, known)).toContain('SHA-256 up to step 9 differs');
      expect(statSync(runPaths(run).scalars).size).toBe(9 * WIDTH);
    }
  });

  it('has the same checksum after a resume as without one, and is not reported', () => {
    const [whole, resumed] = [folder(), folder()];
    write(whole, 1, 9);
    write(resumed, 1, 4);
    const known = sumOf(resumed);
    write(resumed, 5, 7);
    const writer = ScalarsWriter.open(resumed, 4, known);
    expect(writer.damage).toBeUndefined();
    for (let step = 5; step <= 9; step++) writer.append(record(step));
    expect(writer.sum()).toEqual(sumOf(whole));
    writer.close();
  });

  it('is still reported for a gap after which a run continued', () => {
    const run = folder();
    write(run, 1, 3);
    write(run, 6, 9);
    expect(damage(run, 9, sumOf(run))).toContain('has no records of steps 4 to 5');
  });

  it('continues with the columns that the run started with', () => {
    const run = folder();
    writeFileSync(runPaths(run).scalarColumns, '{"version":1,"columns":["loss","mood","step"]}');
    write(run, 1, 2);
    const scalars = readScalars(run);
    expect([...scalars.column('step')!]).toEqual([1, 2]);
    expect([...scalars.column('loss')!]).toEqual([1, 0.5]);
    expect([...scalars.column('mood')!]).toEqual([NaN, NaN]);
  });

  it('is named in the error if its columns are lost', () => {
    const run = folder();
    write(run, 1, 2);
    for (const text of ['', 'null', '{}', '{"columns":[]}', '{"columns":["step",1]}']) {
      writeFileSync(runPaths(run).scalarColumns, text);
      expect(() => readScalars(run)).toThrow(runPaths(run).scalarColumns);
    }
  });

  it('can hold a million steps', () => {
    const run = folder();
    write(run, 1, 1);
    const one = readFileSync(runPaths(run).scalars);
    writeFileSync(runPaths(run).scalars, Buffer.alloc(1e6 * WIDTH, one));
    const loss = readScalars(run).column('loss')!;
    expect(loss.length).toBe(1e6);
    expect(loss[999_999]).toBe(1);
  });
});
