import { describe, expect, it } from 'vitest';
import { environment, environmentWarnings } from '../../../src/training/process/environment';
import type { DeviceRequest } from '../../../src/engine/devices';
import {
  recordedPlace,
  requestedEvent,
  resumedChoice,
  resumedRequest,
} from '../../../src/training/device/choose';
import { effectiveEvents } from '../../../src/runs/journal/journal-reader';
import type { NewEvent } from '../../../src/protocol/events';
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

describe('the recorded device of a run', () => {
  it('is the last one before the step that the run resumed from', () => {
    expect(recordedPlace(journal(started, on('webgpu', 0), on('cpu', 30)))?.device).toBe('cpu');
    const back: NewEvent = { kind: 'resumed', fromStep: 20, pid: 1, warnings: [] };
    expect(recordedPlace(journal(started, on('webgpu', 0), on('cpu', 30), back))?.device).toBe('webgpu');
  });

  it('is undefined for a run that has not chosen one', () => {
    expect(recordedPlace(journal())).toBeUndefined();
  });
});

describe('resuming a run that had not chosen a device', () => {
  const silent: DeviceRequest = {
    engine: 'onnxruntime',
    device: 'auto',
    fallBack: false,
    given: { engine: false, device: false },
  };
  const asked: DeviceRequest = { ...silent, engine: 'tfjs', device: 'webgpu', fallBack: true };

  it('repeats the original request', () => {
    const events = journal(requestedEvent(asked));
    expect(resumedRequest(events, silent)).toEqual({ ...asked, given: silent.given });
    expect(resumedChoice(events, asked)).toBeUndefined();
    const several: DeviceRequest = {
      ...silent,
      device: [
        { engine: 'onnxruntime', device: 'cpu' },
        { engine: 'onnxruntime', device: 'webgpu' },
      ],
    };
    expect(resumedRequest(journal(requestedEvent(several)), silent)).toEqual(several);
    expect(resumedRequest(journal(requestedEvent(silent)), silent)).toEqual(silent);
  });

  it('uses the new request if there is one', () => {
    const now: DeviceRequest = { ...silent, device: 'cpu', given: { engine: false, device: true } };
    expect(resumedRequest(journal(requestedEvent(asked)), now)).toBe(now);
    const other: DeviceRequest = { ...silent, given: { engine: true, device: false } };
    expect(resumedRequest(journal(requestedEvent(asked)), other)).toBe(other);
  });

  it('ignores a request that this version does not support, and one that was not recorded', () => {
    const later = { ...requestedEvent(asked), device: 'quantum' };
    expect(resumedRequest(journal(later), silent)).toBe(silent);
    expect(resumedRequest(journal({ ...later, engine: 'jax' }), silent)).toBe(silent);
    expect(resumedRequest(journal(), silent)).toBe(silent);
  });
});

describe('the warnings of a resumed run', () => {
  const cpu = environment(2, { engine: 'onnxruntime', device: 'cpu' });

  it('name another way to compute logits', () => {
    expect(environmentWarnings(cpu, cpu)).toEqual([]);
    const atLabels = environment(2, { engine: 'onnxruntime', device: 'cpu' }, true);
    expect(environmentWarnings(cpu, atLabels)).toEqual([
      expect.stringMatching(/^logits was computed for all positions and is now computed at labels only: /),
    ]);
  });

  it('name the engine and not the settings that follow from it', () => {
    const other = environment(2, { engine: 'tfjs', device: 'cpu' });
    expect(other.runtime).toMatch(/^tfjs-core \d/);
    expect(environmentWarnings(cpu, other)).toEqual([
      expect.stringMatching(/^engine was onnxruntime and is now tfjs: /),
    ]);
  });
});
