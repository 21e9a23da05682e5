import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isLocal, placeWeights } from '../../../../src/graph/file/place-weights';
import { scratchFolder } from '../../../scratch';

const folder = scratchFolder('place');

describe('weights placed beside a graph', () => {
  it("are the file's bytes, and are replaced if the file has been replaced", () => {
    const [from, to] = [join(folder, 'model'), join(folder, '0-model')];
    writeFileSync(from, 'first');
    placeWeights(from, to);
    expect(readFileSync(to, 'utf8')).toBe('first');
    const { ino } = statSync(to);
    placeWeights(from, to);
    // A session may be reading it, so it must not be replaced.
    expect(statSync(to).ino).toBe(ino);
    rmSync(from);
    writeFileSync(from, 'other');
    placeWeights(from, to);
    expect(readFileSync(to, 'utf8')).toBe('other');
  });

  it.each([
    ['ext4', 0xef53, true],
    ['tmpfs', 0x01021994, true],
    ['NFS', 0x6969, false],
    ['CIFS', 0xff534d42, false],
    ['FUSE', 0x65735546, false],
    ['9p', 0x01021997, false],
  ])('are linked only on a local file system: %s', (_, type, local) => expect(isLocal(type)).toBe(local));
});
