import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModelCache } from '../../../../src/extension/models/model-cache';
import { startProgram, programError } from '../../../../src/executors/local/program';
import { loadModelFrom } from '../../../../src/architectures/load';
import { modelSource } from '../../../../src/architectures/model-source';
import type { MachineRates, StepCost } from '../../../../src/protocol/step-cost';
import { summarize } from '../../../../src/graph/summary';
import { AuroraError } from '../../../../src/base/errors';
import { FIXTURE, makeFolder } from './lab';

/** Counts how often the file is read. */
function cacheIn(folder: string, version = '1') {
  const asked: string[] = [];
  const cache = new ModelCache(join(folder, 'cache'), version, join(folder, 'rates'), (path) => {
    asked.push(path);
    return new Promise((resolve, reject) =>
      setImmediate(() => {
        try {
          resolve(summarize(loadModelFrom(modelSource(path), 'structure')));
        } catch (e) {
          reject(e as Error);
        }
      }),
    );
  });
  return { cache, asked };
}
const model = () => {
  const folder = makeFolder({ 'm.onnx': readFileSync(FIXTURE) });
  return { folder, path: join(folder, 'm.onnx') };
};

describe('the cache of models', () => {
  it('reads a file once, even for simultaneous requests, and again after it changed', async () => {
    const { folder, path } = model();
    const { cache, asked } = cacheIn(folder);
    expect(cache.cached(path)).toBeUndefined();
    const [a, b] = await Promise.all([cache.inspect(path), cache.inspect(path)]);
    expect(a).toBe(b);
    expect(cache.cached(path)).toBe(a);
    await cache.inspect(path);
    expect(asked).toHaveLength(1);
    utimesSync(path, 1, 1);
    expect(await cache.inspect(path)).toEqual(a);
    expect(asked).toHaveLength(2);
  });

  it('asks in the next window again what a step takes, if the speed of the machine was not known', async () => {
    const { folder, path } = model();
    const asked: StepCost[] = [];
    const memory = { program: 1, weights: 1, activations: 1, evaluation: 1, trained: 1, total: 5 };
    const time = { seconds: 1, flops: 1, rates: {} as MachineRates };
    for (const known of [undefined, time, undefined]) {
      const step = { method: 'lora', batch: 8, memory, ...(known && { time: known }) };
      const cache = new ModelCache(join(folder, 'cache'), '1', join(folder, 'rates'), (at) => {
        asked.push(step);
        return Promise.resolve({ ...summarize(loadModelFrom(modelSource(at), 'structure')), step });
      });
      await cache.inspect(path);
    }
    // The third window has the answer of the second.
    expect(asked.map((s) => s.time !== undefined)).toEqual([false, true]);
  });

  it('asks again after the machine was measured again', async () => {
    const { folder, path } = model();
    const { cache, asked } = cacheIn(folder);
    const rates = join(folder, 'rates');
    for (const [at, again] of [1000, 2000].entries()) {
      mkdirSync(rates, { recursive: true });
      utimesSync(rates, again, again);
      await cache.inspect(path);
      await cacheIn(folder).cache.inspect(path);
      expect(asked).toHaveLength(1 + at);
    }
  });

  it("reads a folder again after its config.json or its weights' file has changed", async () => {
    const hub = (name: string) => readFileSync(join('test/fixtures/hf/bert', name));
    const files = ['config.json', 'model.safetensors'];
    const folder = makeFolder(Object.fromEntries(files.map((name) => [name, hub(name)])));
    const { cache, asked } = cacheIn(folder);
    await cache.inspect(folder);
    writeFileSync(join(folder, 'other.txt'), '');
    await cache.inspect(folder);
    expect(asked).toHaveLength(1);
    for (const [i, name] of files.entries()) {
      utimesSync(join(folder, name), 4e9, 4e9 + i);
      await cache.inspect(folder);
      expect(asked).toHaveLength(2 + i);
    }
  });

  it('survives the window, but not a new version of the extension or a damaged entry', async () => {
    const { folder, path } = model();
    const first = await cacheIn(folder).cache.inspect(path);
    const again = cacheIn(folder);
    expect(await again.cache.inspect(path)).toEqual(first);
    expect(again.asked).toEqual([]);
    const newer = cacheIn(folder, '2');
    await newer.cache.inspect(path);
    expect(newer.asked).toHaveLength(1);
  });

  it('keeps the error of a file until the file changes', async () => {
    const { folder, path } = model();
    const { cache, asked } = cacheIn(folder);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length / 2));
    for (let i = 0; i < 2; i++) await expect(cache.inspect(path)).rejects.toThrow(AuroraError);
    expect(asked).toHaveLength(1);
    writeFileSync(path, whole);
    expect((await cache.inspect(path)).layers.length).toBeGreaterThan(0);
  });

  it('names a missing file', async () => {
    const { folder } = model();
    const missing = join(folder, 'no.onnx');
    await expect(cacheIn(folder).cache.inspect(missing)).rejects.toMatchObject({
      kind: 'model',
      message: `The model file ${missing} does not exist.`,
    });
  });
});

describe('the error of a program', () => {
  it('has the last lines of the output if the program crashed', () => {
    const error = programError({ code: 9999, stdout: '', stderr: 'trace\nSegfault' }, 'inspect');
    expect(error).toMatchObject({
      kind: 'failed',
      message: 'aurora inspect ended with code 9999: trace\nSegfault.',
    });
  });

  it('equals the one that the program throws', async () => {
    const { folder } = model();
    const path = join(folder, 'text.onnx');
    writeFileSync(path, 'this is no model');
    const thrown = (() => {
      try {
        return loadModelFrom(modelSource(path), 'structure') as never;
      } catch (e) {
        return e as AuroraError;
      }
    })();
    const args = ['bin/aurora.cjs', 'inspect', path];
    const { ended } = startProgram({ node: process.execPath, args, env: process.env });
    const result = await ended;
    const { kind, message, hint } = programError(result, 'inspect');
    expect({ kind, message, hint }).toEqual({
      kind: thrown.kind,
      message: thrown.message,
      hint: thrown.hint,
    });
  });
});
