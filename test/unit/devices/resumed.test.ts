import { describe, expect, it } from 'vitest';
import { environment, environmentWarnings, type Environment } from '../../../src/trainer/environment';
import { recordedPlace } from '../../../src/trainer/device/recorded';
import { effectiveEvents } from '../../../src/runs/journal-reader';
import type { NewEvent } from '../../../src/shared/events';
import { started } from '../extension/run-maker';

const journal = (...events: NewEvent[]) =>
  effectiveEvents(events.map((e, seq) => ({ v: 1, seq, t: 0, ...e })));
const on = (device: string, step: number): NewEvent => ({
  kind: 'device',
  step,
  engine: 'onnxruntime',
  device,
  reason: 'chosen',
  tried: [],
});

describe('where a run goes on', () => {
  it('is where it was last, of what was not taken back', () => {
    expect(recordedPlace(journal(started, on('webgpu', 0), on('cpu', 30)))?.device).toBe('cpu');
    const back: NewEvent = { kind: 'resumed', fromStep: 20, pid: 1, warnings: [] };
    expect(recordedPlace(journal(started, on('webgpu', 0), on('cpu', 30), back))?.device).toBe('webgpu');
  });

  it('is the CPU for runs of older versions, and open for one that never began', () => {
    expect(recordedPlace(journal(started))).toEqual({ engine: 'onnxruntime', device: 'cpu' });
    expect(recordedPlace(journal())).toBeUndefined();
  });
});

describe('what a resume warns of', () => {
  const cpu = environment(2, { engine: 'onnxruntime', device: 'cpu' });

  it('is nothing where an older version left no word of a device', () => {
    const old: Partial<Environment> = { ...cpu };
    delete old.engine;
    delete old.device;
    expect(environmentWarnings(old, cpu)).toEqual([]);
    const gpu = environment(2, { engine: 'onnxruntime', device: 'webgpu' });
    expect(environmentWarnings(old, gpu)).toEqual([
      expect.stringMatching(/^device was cpu and is now webgpu: /),
    ]);
  });

  it('is the engine, not what follows from it', () => {
    const other = environment(2, { engine: 'tfjs', device: 'cpu' });
    expect(other.runtime).toMatch(/^tfjs-core \d/);
    expect(environmentWarnings(cpu, other)).toEqual([
      expect.stringMatching(/^engine was onnxruntime and is now tfjs: /),
    ]);
  });
});
