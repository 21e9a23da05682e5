import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deviceArguments, forkArguments } from '../../../src/extension/launcher/device-arguments';
import { runDetails } from '../../../src/extension/words/run-details';
import { readRunSummary } from '../../../src/runs/run-summary';
import type { DeviceEvent, NewEvent } from '../../../src/protocol/events';
import { temporaryFolders } from '../runs/folder';
import { makeRun, started } from './run-maker';

const folder = temporaryFolders();

describe('the device settings', () => {
  const auto = { engine: 'onnxruntime', device: 'auto', fallBackToCpu: false };
  const gpu = { engine: 'tfjs', device: 'webgpu', fallBackToCpu: true };

  it('are passed to every start', () => {
    expect(deviceArguments(auto)).toEqual(['--engine', 'onnxruntime', '--device', 'auto']);
    expect(deviceArguments(gpu)).toEqual(['--engine', 'tfjs', '--device', 'webgpu', '--fallback']);
  });

  it("leave a fork on its run's device unless they name one", () => {
    expect(forkArguments(auto)).toEqual([]);
    expect(forkArguments({ ...auto, fallBackToCpu: true })).toEqual(['--fallback']);
    expect(forkArguments(gpu)).toEqual(deviceArguments(gpu));
  });
});

it("a run's tooltip names the last device", () => {
  const on = (device: string, reason: DeviceEvent['reason']): NewEvent => ({
    kind: 'device',
    step: 0,
    engine: 'onnxruntime',
    device,
    reason,
    tried: [],
  });
  const facts = (events: Parameters<typeof makeRun>[1]) => {
    const run = makeRun(join(folder(), 'demo.aurora.json'), events);
    const entry = { folder: run, id: 'r', experiment: '', state: 'finished' as const, user: {} };
    return new Map(runDetails({ ...entry, run: readRunSummary(run) }, 'en').facts);
  };
  const both = [started, on('webgpu', 'chosen'), on('cpu', 'fallback')];
  expect(facts({ events: both }).get('Device')).toBe(
    'ONNX Runtime on cpu, because the chosen device cannot be used',
  );
  expect(facts({ events: [started] }).has('Device')).toBe(false);
});
