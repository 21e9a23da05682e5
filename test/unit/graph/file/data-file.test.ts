import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSession } from '../../../../src/engine/onnxruntime/session';
import { DType } from '../../../../src/graph/dtype';
import { loadModel } from '../../../../src/graph/file/load';
import { isFileRef, type Tensor } from '../../../../src/graph/model';
import { saveModel } from '../../../../src/graph/file/save';
import { readTensorBytes } from '../../../../src/graph/values';
import { difference, host, input, model, node } from '../onnx-models';

let at: string;
beforeEach(() => (at = mkdtempSync(join(tmpdir(), 'aurora-data-file-'))));
afterEach(() => rmSync(at, { recursive: true }));
const bert = fileURLToPath(new URL('../../../fixtures/reference/bert.onnx', import.meta.url));

async function hiddenStates(path: string) {
  const session = await openSession(path, { threads: 1 });
  const ids = host([1, 4], [2, 5, 6, 3], DType.int64);
  const ones = host([1, 4], [1, 1, 1, 1], DType.int64);
  const out = await session.run({
    input_ids: ids,
    attention_mask: ones,
    token_type_ids: host([1, 4], [0, 0, 0, 0], DType.int64),
  });
  await session.dispose();
  return out;
}

describe('a model with too many weights for one file', () => {
  it('is saved with a data file and computes the same', async () => {
    const path = join(at, 'big.onnx');
    saveModel(loadModel(bert), path, 50_000);
    expect(readdirSync(at)).toEqual(['big.onnx', 'big.onnx.data']);
    expect(statSync(path).size).toBeLessThan(statSync(bert).size / 3);
    const outside = [...loadModel(path).graph.initializers.values()].flatMap(({ data }) =>
      isFileRef(data) && data.path !== path ? [data] : [],
    );
    expect(outside.length).toBeGreaterThan(10);
    for (const { offset, length } of outside) {
      expect(offset % 64).toBe(0);
      expect(length).toBeGreaterThanOrEqual(1024);
    }
    expect(difference(await hiddenStates(bert), await hiddenStates(path))).toBeUndefined();
  });

  it('is saved as one file up to the limit', () => {
    saveModel(loadModel(bert), join(at, 'small.onnx'), 200_000);
    expect(readdirSync(at)).toEqual(['small.onnx']);
  });

  it('is written in pieces', () => {
    const size = 150 << 20;
    const fd = openSync(join(at, 'weights.bin'), 'w');
    ftruncateSync(fd, size);
    for (const place of [0, 1 << 26, size - 1]) writeSync(fd, Uint8Array.of(place % 251 || 7), 0, 1, place);
    closeSync(fd);
    const w: Tensor = {
      name: 'w',
      dtype: DType.uint8,
      dims: [size],
      data: { path: join(at, 'weights.bin'), offset: 0, length: size },
    };
    const m = model({
      opset: 17,
      inputs: [input('i', DType.int64, ['n'])],
      nodes: [node('Gather', ['w', 'i'], ['y'])],
      outputs: ['y'],
      initializers: [w],
    });
    saveModel(m, join(at, 'out.onnx'), 0);
    const saved = loadModel(join(at, 'out.onnx')).graph.initializers.get('w')!;
    expect(Buffer.compare(readTensorBytes(saved), readFileSync(join(at, 'weights.bin')))).toBe(0);
  });

  it('is not written over the file that its weights are read from', () => {
    copyFileSync(bert, join(at, 'model.onnx'));
    const before = readFileSync(bert);
    const loaded = loadModel(join(at, 'model.onnx'));
    expect(() => saveModel(loaded, join(at, 'model.onnx'))).toThrow(
      expect.objectContaining({ kind: 'usage' }),
    );
    copyFileSync(bert, join(at, 'other.onnx.data'));
    const beside = loadModel(join(at, 'other.onnx.data'));
    expect(() => saveModel(beside, join(at, 'other.onnx'))).toThrow(
      expect.objectContaining({ kind: 'usage' }),
    );
    for (const name of ['model.onnx', 'other.onnx.data'])
      expect(Buffer.compare(readFileSync(join(at, name)), before)).toBe(0);
    expect(readdirSync(at)).toEqual(['model.onnx', 'other.onnx.data']);
  });
});
