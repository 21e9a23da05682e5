import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { withFrozenPrefix } from '../../../src/training/frozen/reuse';
import { prepareTask } from '../../../src/training/task/task';
import { Lab } from '../../cli/lab';
import { withoutMask } from './maskless';

const lab = new Lab();
afterAll(() => lab.remove());

let folders = 0;
const HEAD_ONLY = 'adapter={"method":"none"}';
const LAST = 'adapter.layersToTransform=[1]';

async function reuse(settings: string[], keep: string, layers = true) {
  const spec = loadExperiment(lab.experiment, settings);
  const folder = lab.path(`graph-${folders++}`);
  const task = await prepareTask(spec, folder);
  const warn = (message: string) => expect.fail(message);
  return { ...(await withFrozenPrefix(task, { folder, keep, threads: 1, warn, layers })), whole: task };
}

const sizes = (shared: string) => readdirSync(shared).map((name) => statSync(join(shared, name)).size);

describe('the frozen part of a model', () => {
  it('is cached below the adapters only for the trials of a sweep on the CPU', async () => {
    const shared = lab.path('shared');
    expect((await reuse([LAST], shared, false)).upTo).toBeUndefined();
    expect(existsSync(shared)).toBe(false);
    const first = await reuse([LAST], shared);
    const second = await reuse([LAST, 'training.seed=3', 'adapter.rank=1'], shared);
    expect([first.found, second.found, second.upTo]).toEqual([false, true, first.upTo]);
    const { data } = (await first.task.feeds(first.whole.data.train.dataset, [5, 6]))[first.upTo!];
    const again = (await second.task.feeds(second.whole.data.train.dataset, [6, 5]))[first.upTo!].data;
    const half = data.length / 2;
    expect([...(again as Float32Array).subarray(half)]).toEqual([
      ...(data as Float32Array).subarray(0, half),
    ]);
    // The numbers differ for other texts and for another layer.
    expect((await reuse([LAST, 'model.maxLength=4'], shared)).found).toBe(false);
    expect((await reuse([HEAD_ONLY], shared)).found).toBe(false);
    expect((await reuse([LAST, 'training.precision=int8'], shared)).found).toBe(false);
    expect(sizes(shared)).toHaveLength(4);
  });

  it("is computed at every step if a model's result depends on padding", async () => {
    const model = `model.path=${withoutMask(lab)}`;
    for (const method of [LAST, HEAD_ONLY]) {
      const shared = lab.path(`padded-${method === LAST}`);
      // Detected the first time, remembered the second.
      for (let i = 0; i < 2; i++) {
        const { task, whole, upTo } = await reuse([model, method], shared);
        expect(upTo).toBeUndefined();
        expect(task).toBe(whole);
        expect(sizes(shared)).toEqual([0]);
      }
    }
  });

  it('is used only if the cache file is complete', async () => {
    const shared = lab.path('torn');
    const { task, whole } = await reuse([LAST], shared);
    const [name] = readdirSync(shared);
    truncateSync(join(shared, name), 100);
    await expect(task.feeds(whole.data.train.dataset, [90])).rejects.toThrow(/has been truncated/);
    // A truncated file is computed again.
    expect((await reuse([LAST], shared)).found).toBe(false);
  });

  it('is computed again for an overwritten model with a restored time stamp, but not for a model with a new hard link', async () => {
    const shared = lab.path('overwritten');
    const model = lab.path('model.onnx');
    // A time that the file system stores exactly.
    utimesSync(model, 1_600_000_000, 1_600_000_000);
    expect((await reuse([LAST], shared)).found).toBe(false);
    linkSync(model, lab.fresh('second-name.onnx'));
    expect((await reuse([LAST], shared)).found).toBe(true);

    const original = readFileSync(model);
    const bytes = Buffer.from(original);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(model, bytes);
    utimesSync(model, 1_600_000_000, 1_600_000_000);
    try {
      expect((await reuse([LAST], shared)).found).toBe(false);
      expect(sizes(shared)).toHaveLength(2);
    } finally {
      writeFileSync(model, original);
    }
  });
});
