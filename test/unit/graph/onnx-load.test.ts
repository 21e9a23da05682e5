import {
  ftruncateSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { AuroraError, type ErrorKind } from '../../../src/base/errors';
import { DType } from '../../../src/graph/dtype';
import { loadModel } from '../../../src/graph/file/load';
import { isFileRef, type Tensor } from '../../../src/graph/model';
import { encodeModel, type Placement } from '../../../src/graph/onnx/encode';
import { saveByReference, saveModel } from '../../../src/graph/file/save';
import { readTensorBytes, tensorNumbers, tensorOf } from '../../../src/graph/values';
import { difference, host, input, model, node } from './onnx-models';
import { scratchFolder } from '../../scratch';

const root = scratchFolder('load');
let folders = 0;
const folder = () => {
  const path = join(root, String(folders++));
  mkdirSync(path);
  return path;
};

function failure(action: () => unknown): AuroraError {
  try {
    action();
  } catch (e) {
    expect(e).toBeInstanceOf(AuroraError);
    return e as AuroraError;
  }
  throw new Error('nothing was thrown');
}

const weight = tensorOf('w', DType.float, [4], [1, 2, 3, 4]);
const adding = (w: Tensor) =>
  model({
    opset: 17,
    inputs: [input('x', DType.float, [4])],
    nodes: [node('Add', ['x', 'w'], ['y'])],
    outputs: ['y'],
    initializers: [w],
  });
type Place = NonNullable<ReturnType<Placement>>;

/** A model in a new folder with an external weight at `place`. */
function external(place: Place, w = weight): { at: string; path: string } {
  const at = folder();
  const path = join(at, 'model.onnx');
  writeFileSync(
    path,
    encodeModel(adding(w), () => place),
  );
  return { at, path };
}

describe('external data', () => {
  it.each(['weights.bin', './weights.bin', 'sub/../weights.bin', '..weights.bin'])(
    'is loaded from inside the folder: %s',
    (location) => {
      const { at, path } = external({ location, offset: 8, length: 16 });
      mkdirSync(join(at, 'sub'));
      const name = location === '..weights.bin' ? location : 'weights.bin';
      writeFileSync(join(at, name), Buffer.concat([Buffer.alloc(8, 255), weight.data as Uint8Array]));
      const w = loadModel(path).graph.initializers.get('w')!;
      expect([isFileRef(w.data), tensorNumbers(w)]).toEqual([true, [1, 2, 3, 4]]);
    },
  );

  it('without a length has the length that the shape requires', () => {
    const { at, path } = external({ location: 'w.bin', offset: 0, length: undefined });
    writeFileSync(join(at, 'w.bin'), Buffer.concat([weight.data as Uint8Array, Buffer.alloc(8)]));
    expect(tensorNumbers(loadModel(path).graph.initializers.get('w')!)).toEqual([1, 2, 3, 4]);
  });

  it.each(['../secret.bin', 'sub/../../secret.bin', '..', '.', '', join(root, 'secret.bin')])(
    'is rejected outside the folder: "%s"',
    (location) => {
      writeFileSync(join(root, 'secret.bin'), Buffer.alloc(64));
      const e = failure(() => loadModel(external({ location, offset: 0, length: 16 }).path));
      expect([e.kind, e.message]).toEqual([
        'externalOutside',
        expect.stringContaining("outside the model's folder"),
      ]);
      expect(e.message).toContain('weight w');
    },
  );

  it.each(['file', 'folder'])('is rejected behind a link to a %s outside the folder', (kind) => {
    writeFileSync(join(root, 'secret.bin'), Buffer.alloc(64));
    const { at, path } = external({
      location: kind === 'file' ? 'w.bin' : 'sub/secret.bin',
      offset: 0,
      length: 16,
    });
    if (kind === 'file') symlinkSync(join(root, 'secret.bin'), join(at, 'w.bin'));
    else symlinkSync(root, join(at, 'sub'));
    const e = failure(() => loadModel(path));
    expect([e.kind, e.message]).toEqual(['externalOutside', expect.stringContaining('outside the model')]);
  });

  it('is loaded through a link to a blob of the hub cache that holds the model', () => {
    const at = folder();
    const snapshot = join(at, 'snapshots', 'abc', 'onnx');
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(at, 'blobs'));
    const place = { location: 'w.bin', offset: 0, length: 16 };
    writeFileSync(
      join(at, 'blobs', 'm'),
      encodeModel(adding(weight), () => place),
    );
    writeFileSync(join(at, 'blobs', 'w'), weight.data as Uint8Array);
    symlinkSync('../../../blobs/m', join(snapshot, 'model.onnx'));
    symlinkSync('../../../blobs/w', join(snapshot, 'w.bin'));
    const w = loadModel(join(snapshot, 'model.onnx')).graph.initializers.get('w')!;
    expect(tensorNumbers(w)).toEqual([1, 2, 3, 4]);
  });

  it.each<[string, ErrorKind, Place, Uint8Array | 'folder' | undefined, string]>([
    [
      'missing',
      'externalMissing',
      { location: 'w.bin', offset: 0, length: 16 },
      undefined,
      'needs the data file "w.bin"',
    ],
    [
      'too short',
      'truncated',
      { location: 'w.bin', offset: 8, length: 16 },
      Buffer.alloc(23),
      'is truncated',
    ],
    ['a folder', 'model', { location: 'w.bin', offset: 0, length: 16 }, 'folder', 'is not a file'],
    [
      'of a different size than the shape',
      'model',
      { location: 'w.bin', offset: 0, length: 12 },
      Buffer.alloc(64),
      'has 12 bytes of data, not 16',
    ],
    [
      'at a negative offset',
      'model',
      { location: 'w.bin', offset: -8, length: 16 },
      Buffer.alloc(64),
      'invalid position',
    ],
    [
      'at an offset that is not a number',
      'model',
      { location: 'w.bin', offset: NaN, length: 16 },
      Buffer.alloc(64),
      'invalid position',
    ],
  ])('is rejected for a data file that is %s', (_, kind, place, content, message) => {
    const { at, path } = external(place);
    if (content === 'folder') mkdirSync(join(at, 'w.bin'));
    else if (content) writeFileSync(join(at, 'w.bin'), content);
    const e = failure(() => loadModel(path));
    expect([e.kind, e.message]).toEqual([kind, expect.stringContaining(message)]);
    expect(e.hint).toBeTruthy();
  });

  it('is reported when it is missing or shortened after loading', () => {
    const { at, path } = external({ location: 'w.bin', offset: 0, length: 16 });
    writeFileSync(join(at, 'w.bin'), Buffer.alloc(16));
    const w = loadModel(path).graph.initializers.get('w')!;
    writeFileSync(join(at, 'w.bin'), Buffer.alloc(4));
    expect(failure(() => readTensorBytes(w)).message).toContain('ends before byte 16');
    rmSync(join(at, 'w.bin'));
    expect(failure(() => readTensorBytes(w)).message).toContain('can no longer be read');
  });

  it('is also checked in subgraphs', () => {
    const at = folder();
    const body = {
      ...adding(weight).graph,
      inputs: [],
      outputs: [{ name: 'y', dtype: 0, shape: undefined }],
    };
    const m = adding(weight);
    m.graph.nodes = [node('If', ['c'], ['y'], { then_branch: { type: 'graph', value: body } })];
    m.graph.initializers.clear();
    body.initializers = new Map([['w', { ...weight, dims: [5] }]]);
    saveModel(m, join(at, 'model.onnx'));
    expect(failure(() => loadModel(join(at, 'model.onnx'))).message).toContain(
      'has 16 bytes of data, not 20',
    );
  });
});

describe('loading files that are not complete models', () => {
  const path = join(root, 'candidate.onnx');
  const refused = (bytes: Uint8Array, kind: ErrorKind) => {
    writeFileSync(path, bytes);
    const e = failure(() => loadModel(path));
    expect(e.kind).toBe(kind);
    expect(e.message).toContain(path);
    expect(e.hint).toBeTruthy();
  };

  it.each(['bert', 'vit'])('rejects %s truncated anywhere', (name) => {
    const whole = readFileSync(new URL(`../../fixtures/reference/${name}.onnx`, import.meta.url));
    const cut = fc.oneof(
      fc.integer({ min: 0, max: whole.length - 1 }),
      fc.integer({ min: 0, max: 200 }),
      fc.integer({ min: whole.length - 200, max: whole.length - 1 }),
    );
    fc.assert(
      // Two bytes are needed to distinguish a model from other files.
      fc.property(cut, (at) => refused(whole.subarray(0, at), at < 2 ? 'notOnnx' : 'truncated')),
      { numRuns: 150 },
    );
  });

  it('reads or rejects a model with any byte changed', () => {
    const whole = readFileSync(new URL('../../fixtures/reference/bert.onnx', import.meta.url));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const spoiled = Buffer.from(whole);
        spoiled[at] = byte;
        writeFileSync(path, spoiled);
        try {
          expect(loadModel(path).opsets.size).toBeGreaterThan(0);
        } catch (e) {
          expect(e).toBeInstanceOf(AuroraError);
          const kinds: ErrorKind[] = ['model', 'truncated', 'notOnnx', 'externalMissing', 'externalOutside'];
          expect(kinds).toContain((e as AuroraError).kind);
        }
      }),
      { numRuns: 150 },
    );
  });

  it.each<[string, Uint8Array]>([
    ['an empty file', new Uint8Array()],
    ['text', Buffer.from('{"architectures": ["BertModel"]}\n'.repeat(20))],
    ['a web page', Buffer.from('<!DOCTYPE html><html><body>Not found</body></html>')],
    [
      'a Git LFS pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'),
    ],
    ['a zip archive', Buffer.from('504b030414000000080000002100', 'hex')],
    ['a gzip file', gzipSync(Buffer.alloc(1000, 7))],
    ['zeros', Buffer.alloc(4096)],
  ])('rejects %s', (_, bytes) => refused(bytes, 'notOnnx'));

  it('explains how to get the model behind a Git LFS pointer', () => {
    writeFileSync(path, 'version https://git-lfs.github.com/spec/v1');
    expect(failure(() => loadModel(path)).hint).toContain('git lfs pull');
  });

  it('rejects random bytes', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        // Every model starts with this byte.
        if (bytes[0] === 8) bytes[0] = 9;
        refused(bytes, 'notOnnx');
      }),
    ));

  it.each([
    ['a missing file', join(root, 'absent.onnx'), 'the file does not exist'],
    ['a folder', root, 'is not a file'],
  ])('rejects %s as a path', (_, where, message) => {
    const e = failure(() => loadModel(where));
    expect([e.kind, e.message]).toEqual(['model', expect.stringContaining(message)]);
  });
});

describe('weights above two gigabytes', () => {
  it('stay in their file, which is never read as a whole', async () => {
    const at = folder();
    const [rows, width] = [2_200_000, 256];
    const size = rows * width * 4;
    const row = 2_150_000;
    const bin = openSync(join(at, 'weights.bin'), 'w');
    ftruncateSync(bin, size);
    writeSync(bin, new Uint8Array(Float32Array.of(7, 8).buffer), 0, 8, row * width * 4);
    closeSync(bin);
    const w: Tensor = { name: 'w', dtype: DType.float, dims: [rows, width], data: new Uint8Array() };
    const m = model({
      opset: 17,
      inputs: [input('i', DType.int64, ['n'])],
      nodes: [node('Gather', ['w', 'i'], ['y'])],
      outputs: ['y'],
      initializers: [w],
    });
    writeFileSync(
      join(at, 'model.onnx'),
      encodeModel(m, () => ({ location: 'weights.bin', offset: 0, length: size })),
    );

    const before = process.memoryUsage().rss;
    const loaded = loadModel(join(at, 'model.onnx'));
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
    expect(failure(() => encodeModel(loaded)).message).toMatch(/weights take 2\.3 GB/);

    const session = await openSession(saveByReference(loaded, join(at, 'run'), 'step.onnx'), { threads: 1 });
    const { y } = await session.run({ i: host([1], [row], DType.int64) });
    await session.dispose();
    const want = host([1, width], [7, 8, ...new Array<number>(width - 2).fill(0)]);
    expect(difference({ y: want }, { y })).toBeUndefined();
  });
});

describe('a model that the wire format allows and no runtime takes', () => {
  const written = (change: (bytes: ReturnType<typeof adding>) => void): string => {
    const changed = adding(weight);
    change(changed);
    const path = join(folder(), 'model.onnx');
    writeFileSync(path, encodeModel(changed));
    return path;
  };

  it.each([[[]], [['']]])('is refused for a node without outputs: %j', (outputs) => {
    const path = written(({ graph }) => {
      graph.nodes.unshift({ ...node('Relu', ['x'], []), name: 'lost', outputs });
    });
    const { kind, message } = failure(() => loadModel(path));
    expect([kind, message]).toEqual(['model', `${path} has a node without outputs: lost (Relu).`]);
  });

  it('is refused for a declared shape that cannot be decoded', () => {
    // A value_info that states more bytes than it has.
    const path = written(({ graph }) => (graph.unknown = [Uint8Array.from([(13 << 3) | 2, 2, 0x0a, 0x7f])]));
    const { kind, message } = failure(() => loadModel(path));
    expect(kind).toBe('model');
    expect(message).toContain(`${path} declares a tensor whose type or shape cannot be read`);
  });

  it('is refused for a data file with a name that no file can have', () => {
    const { path } = external({ location: 'a'.repeat(300), offset: 0 } as Place);
    expect(failure(() => loadModel(path)).kind).toBe('externalMissing');
  });
});
