import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { modelSource } from '../../../src/architectures/model-source';
import { loadModel } from '../../../src/graph/file/load';
import { quantizedCopy } from '../../../src/quantize/cached';
import { transposedCopy } from '../../../src/quantize/transposed';
import { fixture } from '../../reference/files';
import { scratchFolder } from '../../scratch';

const disk = join(scratchFolder('quantize-full-disk'), 'disk');
const GIB = 2 ** 30;

/** Only root can mount one. */
const mounted = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  mkdirSync(disk, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
afterAll(() => {
  if (mounted) execFileSync('umount', [disk]);
});

const filler = join(disk, 'filler');
/** Leaves so many bytes of the disk free. */
function fill(left: number): void {
  rmSync(filler, { force: true });
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(filler, new Uint8Array(bavail * bsize - left));
}

/** Files of the model, without the mark that this process uses it. */
const filesIn = (folder: string): string[] => readdirSync(folder).filter((name) => name !== 'in-use');

describe.skipIf(!mounted)('on a full disk', () => {
  const source = modelSource(fixture('bert.onnx'));
  const isFull: unknown = expect.objectContaining({
    kind: 'disk',
    message: expect.stringContaining('disk is full') as string,
  });

  it('neither a quantized copy nor its transposed one is left in part, and both are written once there is space', () => {
    const copies = join(disk, 'quantized');
    for (const form of [4, 'int8'] as const) {
      fill(8192);
      expect(() => quantizedCopy(source, form, copies)).toThrow(isFull);
      expect(existsSync(copies) ? filesIn(copies) : []).toEqual([]);
    }
    rmSync(filler);
    const path = quantizedCopy(source, 'int8', copies);
    const folder = join(path, '..');
    const before = filesIn(folder);
    fill(8192);
    expect(() => transposedCopy(loadModel(path), GIB)).toThrow(isFull);
    expect(filesIn(folder)).toEqual(before);
    rmSync(filler);
    expect(typeof transposedCopy(loadModel(path), GIB)).toBe('function');
    expect(filesIn(folder)).toHaveLength(before.length + 1);
  });
});
