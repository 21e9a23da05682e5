import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import type { HostTensors } from '../../../src/graph/tensor-infos';
import { DType, isFloat } from '../../../src/graph/dtype';
import { writeAtomic } from '../../../src/files/atomic';
import { loadModel } from '../../../src/graph/file/load';
import { elementCount, type Model } from '../../../src/graph/model';
import { saveByReference, saveModel } from '../../../src/graph/file/save';
import { tensorOf } from '../../../src/graph/values';
import { difference, host, input, model, node } from './onnx-models';
import { scratchFolder } from '../../scratch';

const root = scratchFolder('save');
let folders = 0;
const folder = () => {
  const path = join(root, String(folders++));
  mkdirSync(path);
  return path;
};
const reference = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/reference/${name}.onnx`, import.meta.url));

async function run(path: string, feeds: HostTensors): Promise<HostTensors> {
  const session = await openSession(path, { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

/** A value for every input, always the same. */
function feed(m: Model): HostTensors {
  return Object.fromEntries(
    m.graph.inputs.map((i) => {
      const dims = i.shape!.map((d) => (typeof d === 'number' ? d : 3));
      const values = Array.from({ length: elementCount(dims) }, (_, k) =>
        isFloat(i.dtype) ? Math.sin(k) : /mask/.test(i.name) ? 1 : k % 2,
      );
      return [i.name, host(dims, values, i.dtype)];
    }),
  );
}

describe('a graph that refers to weights in another file', () => {
  it.each(['bert', 'bert-opset13', 'llama', 'vit'])('computes the same bits: %s', async (name) => {
    const loaded = loadModel(reference(name));
    const path = saveByReference(loaded, folder(), 'graph.onnx');
    expect(statSync(path).size).toBeLessThan(statSync(reference(name)).size / 1.5);
    const feeds = feed(loaded);
    expect(difference(await run(reference(name), feeds), await run(path, feeds))).toBeUndefined();
  });

  it('computes the same bits when saved as one file', async () => {
    const loaded = loadModel(reference('bert'));
    const path = join(folder(), 'whole.onnx');
    saveModel(loaded, path);
    const feeds = feed(loaded);
    expect(difference(await run(reference('bert'), feeds), await run(path, feeds))).toBeUndefined();
  });

  const weights = (first: number) =>
    model({
      opset: 17,
      inputs: [input('x', DType.float, [1])],
      nodes: [node('Add', ['x', 'w'], ['y'])],
      outputs: ['y'],
      initializers: [
        tensorOf(
          'w',
          DType.float,
          [1000],
          Array.from({ length: 1000 }, (_, i) => first + i),
        ),
      ],
    });
  const firstValue = async (path: string) => Number((await run(path, { x: host([1], [0]) })).y.data[0]);

  it('shares the file on disk, also when saved again', () => {
    const [at, to] = [folder(), folder()];
    saveModel(weights(1), join(at, 'model.onnx'));
    const inodes = [0, 1].map(() => {
      saveByReference(loadModel(join(at, 'model.onnx')), to, 'graph.onnx');
      return statSync(join(to, '0-model.onnx')).ino;
    });
    expect(inodes).toEqual([1, 1].map(() => statSync(join(at, 'model.onnx')).ino));
  });

  it('does not use a file that an earlier model of the same name left', async () => {
    const [at, to] = [folder(), folder()];
    for (const first of [5, 9]) {
      saveModel(weights(first), join(at, 'model.onnx'));
      expect(await firstValue(saveByReference(loadModel(join(at, 'model.onnx')), to, 'graph.onnx'))).toBe(
        first,
      );
    }
  });

  it('reaches a model behind a symbolic link', async () => {
    const [at, store, to] = [folder(), folder(), folder()];
    saveModel(weights(4), join(store, 'blob'));
    symlinkSync(join(store, 'blob'), join(at, 'model.onnx'));
    expect(await firstValue(saveByReference(loadModel(join(at, 'model.onnx')), to, 'graph.onnx'))).toBe(4);
  });
});

describe('writing a file', () => {
  it('replaces it atomically', () => {
    const path = join(folder(), 'deep', 'er', 'file.txt');
    writeAtomic(path, 'first');
    writeAtomic(path, Buffer.from('second'));
    expect(readFileSync(path, 'utf8')).toBe('second');
    expect(readdirSync(join(path, '..'))).toEqual(['file.txt']);
  });

  it.each([
    ['a file where the folder would be', (at: string) => join(at, 'taken', 'file.txt')],
    ['a folder where the file would be', (at: string) => join(at, 'folder')],
  ])('changes nothing when it fails: %s', (_, target) => {
    const at = folder();
    writeFileSync(join(at, 'taken'), 'x');
    mkdirSync(join(at, 'folder', 'full'), { recursive: true });
    const before = readdirSync(at);
    expect(() => writeAtomic(target(at), 'text')).toThrow(
      expect.objectContaining({ name: 'AuroraError', kind: 'disk' }),
    );
    expect(readdirSync(at)).toEqual(before);
  });

  // A disk of one megabyte, which only root can create.
  const disk = join(root, 'disk');
  const mounted = (() => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();
  afterEach(() => {
    if (mounted) for (const f of readdirSync(disk)) rmSync(join(disk, f), { recursive: true });
  });
  afterAll(() => {
    if (mounted) execFileSync('umount', [disk]);
  });

  it.skipIf(!mounted)('leaves the old file and no partial one on a full disk', () => {
    const path = join(disk, 'checkpoint');
    writeAtomic(path, 'old');
    expect(() => writeAtomic(path, Buffer.alloc(2 << 20))).toThrow(
      expect.objectContaining({
        kind: 'disk',
        message: expect.stringContaining('disk is full'),
      }),
    );
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(disk)).toEqual(['checkpoint']);
  });

  it.skipIf(!mounted)('leaves no partial copy of the weights on a full disk', () => {
    const at = folder();
    const big = model({
      opset: 17,
      inputs: [],
      nodes: [node('Identity', ['w'], ['y'])],
      outputs: ['y'],
      initializers: [tensorOf('w', DType.float, [500_000], new Float32Array(500_000))],
    });
    saveModel(big, join(at, 'model.onnx'));
    const loaded = loadModel(join(at, 'model.onnx'));
    expect(() => saveByReference(loaded, disk, 'graph.onnx')).toThrow(
      expect.objectContaining({ kind: 'disk' }),
    );
    expect(readdirSync(disk)).toEqual([]);
  });

  it.skipIf(!mounted)('copies the weights if they cannot be linked', async () => {
    const at = folder();
    copyFileSync(reference('bert'), join(at, 'model.onnx'));
    const loaded = loadModel(join(at, 'model.onnx'));
    const path = saveByReference(loaded, disk, 'graph.onnx');
    expect(existsSync(join(disk, '0-model.onnx'))).toBe(true);
    const feeds = feed(loaded);
    expect(difference(await run(reference('bert'), feeds), await run(path, feeds))).toBeUndefined();
  });
});
