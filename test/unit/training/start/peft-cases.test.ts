import { tensorName } from '../../../../src/adapters/stored-tensors';
import { describe, expect, it } from 'vitest';
import { adapterScale } from '../../../../src/adapters/methods/registry';
import { pytorchPathOf } from '../../../../src/graph/layers/linear';
import { bothValues, residual, share, started, startCase, startTask, withSigns } from './cases';

/** Relative to the largest magnitude, as for PEFT's own float32. */
const TOLERANCE = 1e-4;

describe.each(['pissa', 'olora', 'corda'] as const)('initialization "%s"', (initialization) => {
  const name = `lora-${initialization}`;
  const c = startCase(name);

  it('splits off the weights what PEFT does', async () => {
    const { task } = await started(await startTask(name, { initialization }));
    expect(task.adapters.length).toBe(Object.keys(c.changedBase!).length);
    for (const adapter of task.adapters) {
      const [A, B] = [bothValues(c, task, adapter, 'A'), bothValues(c, task, adapter, 'B')];
      const own = withSigns(adapter, A.own, B.own, A.peft);
      expect(share(own.A, A.peft)).toBeLessThan(TOLERANCE);
      expect(share(own.B, B.peft)).toBeLessThan(TOLERANCE);
      const base = c.changedBase![`${pytorchPathOf(adapter.layer)}.weight`].data;
      expect(share(residual(adapter, A.own, B.own), base)).toBeLessThan(TOLERANCE);
      for (const short of ['A', 'B'])
        expect(task.start!.get(tensorName(adapter, `${short}0`))).toEqual(
          task.start!.get(tensorName(adapter, short)),
        );
    }
  });
});

describe('initialization "eva"', () => {
  const c = startCase('lora-eva');
  const settings = { initialization: 'eva', evaRho: 4 } as const;

  it('gives the layers the ranks and the values that PEFT does', async () => {
    const shares: number[] = [];
    const { task, ranks } = await started(await startTask('lora-eva', settings), (share) =>
      Promise.resolve(void shares.push(share)),
    );
    const wanted = Object.entries(c.evaRanks!);
    expect(Object.values(ranks!)).toHaveLength(wanted.length);
    expect(shares.length).toBeGreaterThan(2);
    expect(Math.max(...shares)).toBeLessThanOrEqual(1);
    for (const adapter of task.adapters) {
      const { rank, scaling } = c.evaRanks![pytorchPathOf(adapter.layer)];
      expect(ranks![adapter.layer.path]).toBe(rank);
      expect(adapter.spec).toMatchObject({ rank });
      expect(adapterScale(adapter.spec)).toBeCloseTo(scaling, 12);
      const { own, peft } = bothValues(c, task, adapter, 'A');
      expect(share(own, peft)).toBeLessThan(TOLERANCE);
    }
  });

  it('keeps every rank with evaRho 1', async () => {
    const { ranks } = await started(await startTask('lora-eva', { ...settings, evaRho: 1 }));
    expect(new Set(Object.values(ranks!))).toEqual(new Set([3]));
  });

  it('divides components by the roots of their singular values with evaWhiten', async () => {
    const plain = await started(await startTask('lora-eva', settings));
    const white = await started(await startTask('lora-eva', { ...settings, evaWhiten: true }));
    for (const adapter of plain.task.adapters) {
      const { inFeatures } = adapter.layer;
      const [A, W] = [plain, white].map(({ task }) => task.start!.get(tensorName(adapter, 'A'))!);
      for (let k = 0; k < A!.length / inFeatures; k++) {
        const row = (v: Float32Array) => v.subarray(k * inFeatures, (k + 1) * inFeatures);
        const length = Math.hypot(...row(W!));
        expect(Math.hypot(...row(A!))).toBeCloseTo(1, 5);
        expect(length).not.toBeCloseTo(1, 3);
        expect(
          share(
            row(W!).map((v) => v / length),
            row(A!),
          ),
        ).toBeLessThan(1e-5);
      }
    }
  });

  it('says that batches are too small, with the layer and the settings', async () => {
    const few = { ...c, calibration: { batches: c.calibration!.batches.map(firstTokens) } };
    await expect(started(await startTask('lora-eva', settings, few))).rejects.toMatchObject({
      kind: 'experiment',
      message: expect.stringMatching(/at least 12 inputs of .*query .*has 4\./) as string,
      hint: expect.stringContaining('training.batchSize') as string,
    });
  });

  const firstTokens = (batch: Record<string, { dims: number[]; data: number[] }>) =>
    Object.fromEntries(
      Object.entries(batch).map(([name, { data }]) => [name, { dims: [1, 4], data: data.slice(0, 4) }]),
    );
});

it.each(['pissa', 'olora', 'eva', 'corda'] as const)(
  'stops "%s" between two parts',
  async (initialization) => {
    const task = await startTask(`lora-${initialization}`, { initialization });
    let parts = 0;
    const stopAtThird = () => (++parts === 3 ? Promise.reject(new Error('asked to')) : Promise.resolve());
    await expect(started(task, stopAtThird)).rejects.toThrow('asked to');
    expect(parts).toBe(3);
  },
);
