import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hashFile } from '../../../src/files/hash';
import { identify } from '../../../src/files/identity';
import { ModelWatch } from '../../../src/trainer/inputs/model-watch';

const folder = mkdtempSync(join(tmpdir(), 'aurora-watch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(process.platform === 'win32')('a model that a run maps', () => {
  it('is not taken for changed by a disk that does not answer, and is hashed before the next checkpoint', async () => {
    const graphs = join(folder, 'graph');
    mkdirSync(graphs);
    const path = join(folder, 'model.onnx');
    const link = join(graphs, 'weights');
    writeFileSync(path, 'weights');
    linkSync(path, link);
    const hashed = new Map([[path, await hashFile(path)]]);
    const modelFiles = [{ path, identity: identify(path)! }];
    const watch = new ModelWatch(
      { modelFiles, hashed } as ConstructorParameters<typeof ModelWatch>[0],
      graphs,
    );
    watch.opened(0);

    // A link to itself: the system refuses the look, as it does where a disk fails.
    renameSync(link, `${link}.away`);
    symlinkSync(link, link);
    expect(() => identify(link)).toThrow('ELOOP');
    expect(() => watch.check(1)).not.toThrow();
    renameSync(`${link}.away`, link);
    await watch.verify(2);

    writeFileSync(path, 'others!');
    await expect(watch.verify(3)).rejects.toThrow(/was changed while the run was training/);
  });
});
