import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hashFile } from '../../../src/files/hash';
import { identify } from '../../../src/files/identity';
import { ModelWatch } from '../../../src/training/inputs/model-watch';
import { type Hashing, Rehash } from '../../../src/training/inputs/hashing';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('watch');

/** A model with a link in a run's folder, and the watch on it. */
async function watched(name: string, share: number) {
  const graphs = join(folder, name);
  mkdirSync(graphs);
  const path = join(folder, `${name}.onnx`);
  const link = join(graphs, 'weights');
  writeFileSync(path, 'weights');
  linkSync(path, link);
  const hashed = new Map([[path, await hashFile(path)]]);
  const modelFiles = [{ path, identity: identify(path)! }];
  const readings: Hashing['hashed'][] = [];
  const distrusted: string[] = [];
  const watch = new ModelWatch(
    { modelFiles, hashed },
    graphs,
    new Rehash((paths) => {
      const read = async (p: string) => ({ path: p, ...(await hashFile(p, { again: true })) });
      const all = Promise.all(paths.map(read)).then((files) => ({ files, sets: new Map() }));
      readings.push(all);
      return { hashed: all, cancel: () => Promise.resolve() };
    }, share),
    (p) => distrusted.push(p),
  );
  watch.opened(0);
  const read = async () => {
    await Promise.all(readings);
    await setImmediate();
    return readings.length;
  };
  /** Like a write through a memory mapping: the bytes differ from the hashed ones, but no time stamp does. */
  const writeUnseen = () => hashed.set(path, { ...hashed.get(path)!, sha256: '0'.repeat(64) });
  return { path, link, watch, hashed, distrusted, read, writeUnseen };
}

describe.skipIf(process.platform === 'win32')('a model file that a run maps into memory', () => {
  it('does not count as changed if the disk does not respond, and is hashed before the next checkpoint', async () => {
    const { path, link, watch } = await watched('silent', 0);

    // A link to itself makes the system deny access, as a failing disk would.
    renameSync(link, `${link}.away`);
    symlinkSync(link, link);
    expect(() => identify(link)).toThrow('ELOOP');
    expect(() => watch.check(1)).not.toThrow();
    renameSync(`${link}.away`, link);
    await watch.verify(2);

    writeFileSync(path, 'others!');
    await expect(watch.verify(3)).rejects.toThrow(/was changed while the run was training/);
  });

  it('is hashed at the end of the run, and its time stamps are not trusted again if they hid a change', async () => {
    const { path, watch, hashed, distrusted, writeUnseen } = await watched('end', 0);
    await watch.verifyContent(4);
    writeUnseen();
    await watch.verify(5);
    await expect(watch.verifyContent(6)).rejects.toMatchObject({
      kind: 'inputs',
      message: expect.stringContaining(
        'its timestamps do not show when. The change was found after step 6.',
      ) as string,
      hint: expect.stringContaining('Up to step 4') as string,
    });
    expect([distrusted, hashed.size]).toEqual([[path], 0]);
  });

  it('is hashed at evaluations, and a change stops the run at the next step', async () => {
    const { watch, distrusted, read, path, writeUnseen } = await watched('evaluations', Infinity);
    watch.evaluated(10);
    // The first read is still in progress.
    watch.evaluated(11);
    expect(await read()).toBe(1);
    writeUnseen();
    watch.evaluated(20);
    expect(await read()).toBe(2);
    expect(distrusted).toEqual([path]);
    expect(() => watch.check(21)).toThrow(/was found after step 21/);
    expect(() => watch.check(22)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/Up to step 10, .+--fork/) as string }),
    );
  });

  it('is not hashed at an evaluation if that would take more than its share of the time', async () => {
    const { watch, read } = await watched('share', 0);
    watch.evaluated(10);
    expect(await read()).toBe(0);
  });

  it('ends the run with an error if it cannot be read at the end', async () => {
    const { link, watch } = await watched('unreadable', 0);
    rmSync(link);
    await expect(watch.verifyContent(1)).rejects.toMatchObject({
      kind: 'inputs',
      message: expect.stringContaining('could not be read to check') as string,
    });
  });
});
