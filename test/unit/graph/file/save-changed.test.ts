import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import { writeAtomic } from '../../../../src/files/atomic';
import { loadModel } from '../../../../src/graph/file/load';
import type { Model, Node, Tensor } from '../../../../src/graph/model';
import { encodeModel } from '../../../../src/graph/onnx/encode';
import { saveChanged } from '../../../../src/graph/file/save';
import { tensorNumbers, tensorOf } from '../../../../src/graph/values';
import { scratchFolder } from '../../../scratch';

const root = scratchFolder('changed');
let count = 0;
const folder = () => {
  const path = join(root, String(count++));
  mkdirSync(path);
  return path;
};

const node = (opType: string, inputs: string[], outputs: string[]): Node => ({
  opType,
  domain: '',
  name: outputs[0],
  inputs,
  outputs,
  attributes: new Map(),
  metadata: new Map(),
});
const SIZE = 24;
const values = (by: number) => Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i * by));

/**
 * y = x·a + x·b + x·c with a and b in a data file and c in the model file.
 *
 * @param tied whether b shares the bytes of a
 * @param spelled a different spelling of b's location
 */
function original(at: { location?: string; tied?: boolean; spelled?: string } = {}): string {
  const { location = 'weights.bin', tied = false, spelled = location } = at;
  const home = folder();
  const bytes = SIZE * SIZE * 4;
  const weights = ['a', 'b', 'c'].map((name, i) => tensorOf(name, DType.float, [SIZE, SIZE], values(i + 1)));
  const [a, b] = weights;
  const data = Buffer.concat([
    a.data as Uint8Array,
    Buffer.alloc(64),
    b.data as Uint8Array,
    Buffer.from('tail'),
  ]);
  writeAtomic(join(home, location), data);
  const sum = node('Sum', ['ya', 'yb', 'yc'], ['y']);
  const graph = {
    name: 'g',
    nodes: [...'abc'].map((w) => node('MatMul', ['x', w], [`y${w}`])).concat(sum),
    initializers: new Map(weights.map((t) => [t.name, t])),
    inputs: [{ name: 'x', dtype: DType.float, shape: ['n', SIZE] }],
    outputs: [{ name: 'y', dtype: DType.float, shape: ['n', SIZE] }],
  };
  const model: Model = {
    irVersion: 8,
    producer: 'test',
    opsets: new Map([['', 17]]),
    graph,
    metadata: new Map(),
  };
  const place = (t: Tensor) =>
    t === a
      ? { location, offset: 0, length: bytes }
      : t === b
        ? { location: spelled, offset: tied ? 0 : bytes + 64, length: bytes }
        : undefined;
  writeAtomic(join(home, 'model.onnx'), encodeModel(model, place));
  return join(home, 'model.onnx');
}

/** The model with different values in some weights. */
function change(model: Model, names: string[]): { model: Model; changed: Set<Tensor> } {
  const initializers = new Map(model.graph.initializers);
  const changed = new Set<Tensor>();
  for (const name of names) {
    const t = tensorOf(name, DType.float, [SIZE, SIZE], values(10 + name.charCodeAt(0)));
    initializers.set(name, t);
    changed.add(t);
  }
  return { model: { ...model, graph: { ...model.graph, initializers } }, changed };
}

async function run(path: string): Promise<number[]> {
  const session = await InferenceSession.create(path);
  const x = Float32Array.from({ length: SIZE }, (_, i) => Math.cos(i));
  const { y } = await session.run({ x: new OrtTensor('float32', x, [1, SIZE]) });
  await session.release();
  return [...(y.data as Float32Array)];
}

describe('saving a model with changed weights', () => {
  it.each(['weights.bin', 'deeper/weights.bin'])('keeps each weight in its place: %s', async (location) => {
    const path = original({ location });
    const before = loadModel(path);
    const { model, changed } = change(before, ['b', 'c']);
    const to = join(folder(), 'copy.onnx');
    saveChanged(model, before, to, changed);
    const [old, copy] = [path, to].map((p) => readFileSync(join(p, '..', location)));
    expect(copy.length).toBe(old.length);
    const from = SIZE * SIZE * 4 + 64;
    expect(copy.subarray(0, from).equals(old.subarray(0, from))).toBe(true);
    expect(copy.subarray(-4).toString()).toBe('tail');
    const after = loadModel(to).graph.initializers;
    for (const [name, t] of model.graph.initializers)
      expect(tensorNumbers(after.get(name)!)).toEqual(tensorNumbers(t));
    const whole = join(folder(), 'whole.onnx');
    writeAtomic(whole, encodeModel(model));
    expect(await run(to)).toEqual(await run(whole));
    expect(readFileSync(join(path, '..', location)).equals(old)).toBe(true);
  });

  it('writes the data file of a model from Windows into the same subfolder and nothing else', () => {
    const path = original({ location: 'deeper/weights.bin', spelled: 'deeper\\sub\\..\\weights.bin' });
    const before = loadModel(path);
    const { model, changed } = change(before, ['b']);
    const to = join(folder(), 'copy.onnx');
    saveChanged(model, before, to, changed);
    expect(readdirSync(join(to, '..'), { recursive: true }).map(String).sort()).toEqual([
      'copy.onnx',
      'deeper',
      join('deeper', 'weights.bin'),
    ]);
    expect(tensorNumbers(loadModel(to).graph.initializers.get('b')!)).toEqual(
      tensorNumbers(model.graph.initializers.get('b')!),
    );
  });

  it.skipIf(process.platform === 'win32')(
    'is impossible for a location that leads out of the folder once normalized, because it does not load',
    () => {
      const location = 'a\\..\\..\\escaped.bin';
      // A file may have this name where a backslash is an ordinary character.
      const path = original({ location });
      expect(() => loadModel(path)).toThrow(/outside the model's folder/);
      expect(existsSync(join(path, '..', '..', 'escaped.bin'))).toBe(false);
    },
  );

  it('does not write through a link out of the folder', () => {
    const before = loadModel(original({ location: 'deeper/weights.bin' }));
    const { model, changed } = change(before, ['b']);
    const [elsewhere, to] = [folder(), join(folder(), 'copy.onnx')];
    symlinkSync(elsewhere, join(to, '..', 'deeper'), 'junction');
    expect(() => saveChanged(model, before, to, changed)).toThrow(/would be written outside/);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it('writes one data file if its name has two spellings', async () => {
    const path = original({ spelled: './weights.bin' });
    const before = loadModel(path);
    const { model, changed } = change(before, ['a', 'b']);
    const to = join(folder(), 'copy.onnx');
    saveChanged(model, before, to, changed);
    expect(readdirSync(join(to, '..')).sort()).toEqual(['copy.onnx', 'weights.bin']);
    const whole = join(folder(), 'whole.onnx');
    writeAtomic(whole, encodeModel(model));
    expect(await run(to)).toEqual(await run(whole));
  });

  it.each(['weights.bin', './weights.bin'])(
    'does not change another weight that shares the same bytes: %s',
    (spelled) => {
      const before = loadModel(original({ tied: true, spelled }));
      const { model, changed } = change(before, ['b']);
      const to = join(folder(), 'copy.onnx');
      saveChanged(model, before, to, changed);
      const after = loadModel(to).graph.initializers;
      expect(tensorNumbers(after.get('a')!)).toEqual(tensorNumbers(before.graph.initializers.get('a')!));
      expect(tensorNumbers(after.get('b')!)).toEqual(tensorNumbers(model.graph.initializers.get('b')!));
    },
  );

  it('appends further weights to the data file', () => {
    const before = loadModel(original());
    const { model, changed } = change(before, ['d']);
    const to = join(folder(), 'copy.onnx');
    saveChanged(model, before, to, changed);
    const after = loadModel(to).graph.initializers.get('d')!;
    expect(after.data).toMatchObject({
      path: expect.stringMatching(/weights\.bin$/),
      offset: expect.any(Number),
    });
    expect((after.data as { offset: number }).offset % 64).toBe(0);
    expect(tensorNumbers(after)).toEqual(tensorNumbers(model.graph.initializers.get('d')!));
  });

  it('writes one file for a model in one file', () => {
    const path = original();
    const home = folder();
    writeAtomic(join(home, 'one.onnx'), encodeModel(loadModel(path)));
    const before = loadModel(join(home, 'one.onnx'));
    const { model, changed } = change(before, ['a']);
    const to = join(folder(), 'copy.onnx');
    saveChanged(model, before, to, changed);
    expect(existsSync(join(to, '..', 'weights.bin'))).toBe(false);
    expect(tensorNumbers(loadModel(to).graph.initializers.get('a')!)).toEqual(
      tensorNumbers(model.graph.initializers.get('a')!),
    );
  });

  it('works from read-only data files', () => {
    const path = original();
    chmodSync(join(path, '..', 'weights.bin'), 0o444);
    const before = loadModel(path);
    const { model, changed } = change(before, ['a']);
    const to = join(folder(), 'copy.onnx');
    saveChanged(model, before, to, changed);
    expect(statSync(join(to, '..', 'weights.bin')).mode & 0o200).toBe(0o200);
  });
});
