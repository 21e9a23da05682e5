import { appendFileSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runPaths } from '../../../src/runs/layout';
import { copyResources, cutResources, ResourcesWriter } from '../../../src/runs/resources/resources';
import { ResourcesTail } from '../../../src/runs/resources/resources-tail';
import { RESOURCE_COLUMNS } from '../../../src/protocol/run-files/resources';
import { gpuOf, parseUse } from '../../../src/training/process/resource-sampler';
import { temporaryFolders } from './folder';

const folder = temporaryFolders();
const WIDTH = 8 * RESOURCE_COLUMNS.length;

const record = (step: number) => ({
  ...{ time: 1e12 + 1000 * step, step, processCpu: 0.5, machineCpu: 0.75 },
  ...{ machineMemory: 4e9, gpu: NaN, gpuMemory: NaN },
});
function write(run: string, from: number, to: number, most?: number): ResourcesWriter {
  const writer = new ResourcesWriter(run, most);
  for (let step = from; step <= to; step++) writer.append(record(step));
  return writer;
}
async function steps(run: string): Promise<number[]> {
  const tail = new ResourcesTail(run);
  await tail.look();
  const at = tail.columns.indexOf('step');
  return [...tail.rows(0)].filter((_, i) => i % tail.columns.length === at);
}

describe('what is sampled of the machine', () => {
  it('is read as it grows, without a torn last record', async () => {
    const run = folder();
    const tail = new ResourcesTail(run);
    expect(await tail.look()).toBeUndefined();
    write(run, 1, 3);
    expect([await tail.look(), tail.records]).toEqual([0, 3]);
    appendFileSync(runPaths(run).resources, new Uint8Array(10));
    expect([await tail.look(), tail.records]).toEqual([undefined, 3]);
    cutResources(run, 3);
    write(run, 4, 5);
    expect([await tail.look(), tail.records]).toEqual([3, 5]);
    expect([...tail.rows(3)].filter((_, i) => i % RESOURCE_COLUMNS.length === 1)).toEqual([4, 5]);
    // A resume went back, and trained another way.
    cutResources(run, 2);
    write(run, 3, 3);
    expect([await tail.look(), tail.records]).toEqual([3, 3]);
  });

  it('is bounded in size, and evenly thinned out', async () => {
    const run = folder();
    write(run, 1, 100, 16);
    expect(statSync(runPaths(run).resources).size).toBeLessThanOrEqual(16 * WIDTH);
    const kept = await steps(run);
    expect(kept[0]).toBe(1);
    const gaps = new Set(kept.slice(1).map((step, i) => step - kept[i]));
    expect([...gaps]).toEqual([8]);
  });

  it('goes with a resume and a fork only as far as training does', async () => {
    const [run, fork] = [folder(), folder()];
    write(run, 1, 9);
    copyResources(run, fork, 4);
    expect(await steps(fork)).toEqual([1, 2, 3, 4]);
    cutResources(run, 6);
    expect(await steps(run)).toEqual([1, 2, 3, 4, 5, 6]);
    cutResources(run, 0);
    expect(await steps(run)).toEqual([]);
    // Older runs have none.
    const old = folder();
    cutResources(old, 5);
    copyResources(old, fork, 5);
    expect(await steps(old)).toEqual([]);
  });

  it('stops no run if its file is damaged', async () => {
    const run = folder();
    write(run, 1, 3);
    writeFileSync(runPaths(run).resourceColumns, 'no JSON');
    expect(await steps(run)).toEqual([]);
    cutResources(run, 2);
    expect(existsSync(runPaths(run).resources)).toBe(false);
    write(run, 3, 4);
    expect(await steps(run)).toEqual([3, 4]);
    rmSync(runPaths(run).resources);
    expect(await steps(run)).toEqual([]);
  });

  it('includes what the driver says of a GPU', () => {
    expect(parseUse('83, 40536\n')).toEqual({ use: 0.83, memory: 40536 * 2 ** 20 });
    expect(parseUse('[N/A], 12\n')).toEqual({ use: NaN, memory: 12 * 2 ** 20 });
    expect(parseUse('No devices were found\n')).toBeUndefined();
    expect(parseUse('')).toBeUndefined();
    const visible = [undefined, '', '2,3', 'GPU-8f1e-2', '-1'];
    expect(visible.map((v) => gpuOf({ CUDA_VISIBLE_DEVICES: v }))).toEqual([
      '0',
      '0',
      '2',
      'GPU-8f1e-2',
      '0',
    ]);
  });
});
