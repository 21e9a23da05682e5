import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crc32c, exportEvents, scalars } from '../../../../src/runs/tensorboard';
import { ScalarsWriter } from '../../../../src/runs/curve/scalars';
import { makeRun, started } from '../../extension/run-maker';
import { temporaryFolders } from '../folder';
import { crc32c as slowly, eventsOf, fieldsOf } from './decode';

const folder = temporaryFolders();

describe('a record of TFRecord', () => {
  it('has the checksums of RFC 3720', () => {
    // Its appendix B.4.
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    const bytes = Buffer.from('any text, é');
    expect(crc32c(bytes)).toBe(slowly(bytes));
  });

  it('keeps numbers and steps of any size', () => {
    for (const step of [0, 1, 127, 128, 300, 2 ** 31, 2 ** 40]) {
      const [event] = eventsOf(scalars(1234.5, step, [['train/loss', 0.25]]));
      expect(event).toEqual({ time: 1234.5, step, values: [{ tag: 'train/loss', value: 0.25 }] });
    }
    const [odd] = eventsOf(
      scalars(0, 1, [
        ['a', NaN],
        ['b', Infinity],
      ]),
    );
    expect(odd!.values.map((v) => v.value)).toEqual([NaN, Infinity]);
  });
});

describe('a run for TensorBoard', () => {
  const metrics = { loss: 0.5, accuracy: 0.75, f1: 0.7, matthews: 0.4, examples: 24 };
  const made = () => {
    const run = makeRun(join(folder(), 'demo.aurora.json'), {
      events: [
        started,
        { kind: 'evaluation', step: 2, epoch: 0.5, metrics, best: true, seconds: 1 },
        { kind: 'test-evaluation', step: 2, metrics, seconds: 1 },
        { kind: 'test-evaluation', step: 2, set: 'films', metrics, seconds: 1 },
      ],
    });
    const curve = ScalarsWriter.open(run);
    const numbers = {
      learningRate: 1e-3,
      gradientNorm: 1,
      examples: 16,
      tokens: 100,
      seconds: 0.5,
      memory: 1,
    };
    for (const step of [1, 2, 3]) curve.append({ step, time: 1000 * step, loss: 1 / step, ...numbers });
    curve.close();
    return run;
  };

  it('has its curves, evaluations and settings', () => {
    const run = made();
    const { file, steps, evaluations } = exportEvents(run);
    expect([steps, evaluations]).toEqual([3, 3]);
    const [first, ...events] = eventsOf(readFileSync(file));
    expect(first).toMatchObject({ version: 'brain.Event:2', step: 0, values: [] });
    const at = (tag: string) =>
      events.flatMap((e) => e.values.flatMap((v) => (v.tag === tag ? [[e.step, v.value]] : [])));
    expect(at('train/loss').map(([step]) => step)).toEqual([1, 2, 3]);
    expect(at('train/learning_rate')).toHaveLength(3);
    expect(at('train/examples_per_second')[0]).toEqual([1, 32]);
    expect(events.find((e) => e.step === 3)?.time).toBe(3);
    expect(at('validation/accuracy')).toEqual([[2, 0.75]]);
    expect(at('test/matthews')[0]![1]).toBeCloseTo(0.4, 6);
    expect(at('evaluation/films/loss')).toEqual([[2, 0.5]]);
    const plugins = events.flatMap((e) =>
      e.values.flatMap((v) => (v.plugin ? [{ tag: v.tag, ...v.plugin }] : [])),
    );
    expect(plugins.map(({ tag, name }) => [tag, name])).toEqual([
      ['_hparams_/session_start_info', 'hparams'],
      ['_hparams_/session_end_info', 'hparams'],
    ]);
    const start = fieldsOf(fieldsOf(plugins[0]!.content).get(3)![0] as Buffer);
    const settings = new Map(
      start.get(1)!.map((entry) => {
        const [key, value] = [1, 2].map((n) => fieldsOf(entry as Buffer).get(n)![0] as Buffer);
        return [String(key), [...fieldsOf(value!).entries()][0]];
      }),
    );
    expect(settings.get('training.learningRate')).toEqual([2, [0.001]]);
    expect([...settings.keys()].some((key) => key.startsWith('data.') || key === 'model.path')).toBe(false);
  });

  it('replaces its earlier event file, and says if there is nothing to show', () => {
    const run = made();
    exportEvents(run);
    const { folder: at } = exportEvents(run);
    expect(readdirSync(at)).toHaveLength(1);
    const none = makeRun(join(folder(), 'none.aurora.json'), { events: [started] });
    expect(() => exportEvents(none)).toThrow('has no training step yet');
  });
});
