import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Place } from '../../../src/engine/place';
import { fence, ownerFile } from '../../../src/files/fence';
import { loadExperiment } from '../../../src/runs/experiment/load';
import type { DeviceChoice } from '../../../src/training/device/choose';
import { measureDevices } from '../../../src/training/device/measure-devices';
import { settle } from '../../../src/training/device/open-on-device';
import { runTrial } from '../../../src/training/device/device-trial';
import { prepareTask } from '../../../src/training/task/task';
import { Lab } from '../../cli/lab';
import { onWebgpu } from '../../webgpu';

process.env.ORT_DISABLE_TELEMETRY = '1';
const lab = new Lab();
afterAll(() => lab.remove());
const task = await prepareTask(loadExperiment(lab.experiment, []), lab.path('graph'));
const place = (device: 'cpu' | 'webgpu'): Place => ({ engine: 'onnxruntime', device });
const CPU = [place('cpu')];

/** Measures with a different program in place of ours, to reproduce a faulty driver with a real process. */
async function withProgram(body: string, places = CPU, limit = 20_000, stopped = () => false) {
  lab.write('program.cjs', body);
  const folder = lab.path('trials');
  const trials = await measureDevices(task, places, {
    program: lab.path('program.cjs'),
    threads: 1,
    onFeatures: false,
    folder,
    stopped,
    limit,
  });
  expect(existsSync(join(folder, 'trial-cpu'))).toBe(false);
  return trials;
}

describe('a process that measures a device', () => {
  it('returns its result even if the driver prints something', async () => {
    const trials = await withProgram(
      `console.log('Warning: {driver}'); console.log('\\n{"secondsPerStep":0.5,"steps":3}'); process.exit(0)`,
    );
    expect(trials).toEqual([{ place: place('cpu'), secondsPerStep: 0.5 }]);
  });

  it('does not write into a run that another process has taken over', async () => {
    const run = lab.path('taken');
    const folder = join(run, 'graph');
    mkdirSync(run);
    const owned = (nonce: string) => JSON.stringify({ nonce, pid: 4242, host: 'another', at: 0 });
    writeFileSync(ownerFile(run), owned('first'));
    const open = fence(run, { nonce: 'first' });
    // The new owner's graphs, created while this process is still measuring.
    const taken = `const fs = require('fs'); const { dirname } = require('path');
      fs.writeFileSync(dirname(process.argv[3]) + '/graph.onnx', '');
      fs.writeFileSync(${JSON.stringify(ownerFile(run))}, ${JSON.stringify(owned('second'))});`;
    lab.write('program.cjs', taken);
    const options = { threads: 1, onFeatures: false, folder, stopped: () => false };
    const measure = () => measureDevices(task, CPU, { ...options, program: lab.path('program.cjs') });
    await measure();
    expect(existsSync(join(folder, 'trial-cpu', 'graph.onnx'))).toBe(true);
    await expect(measure()).rejects.toThrow(/has taken over/);
    open();
  });

  it('may crash, and the next device is measured', async () => {
    const trials = await withProgram(
      `const fs = require('fs');
       const { deserialize } = require('v8');
       const { place } = deserialize(fs.readFileSync(process.argv[3]));
       if (place.device === 'webgpu') process.abort();
       console.log('{"problem":"no room"}')`,
      [place('webgpu'), ...CPU],
    );
    expect(trials).toEqual([
      {
        place: place('webgpu'),
        problem: expect.stringMatching(/^the test process crashed \(.+\)$/),
      },
      { place: place('cpu'), problem: 'no room' },
    ]);
  });

  it('may hang, and is ended', async () => {
    const trials = await withProgram('setInterval(() => {}, 1000)', CPU, 1000);
    expect(trials).toEqual([{ place: place('cpu'), problem: 'a step took longer than 1 s' }]);
  });

  it('is ended at once when the run stops', async () => {
    let stop = false;
    setTimeout(() => (stop = true), 200);
    expect(await withProgram('setInterval(() => {}, 1000)', CPU, 20_000, () => stop)).toBeUndefined();
  });

  it('reports why it cannot start', async () => {
    const options = { threads: 1, onFeatures: false, folder: lab.path('trials'), stopped: () => false };
    const trials = await measureDevices(task, CPU, { ...options, program: lab.path('none.cjs') });
    expect(trials![0].problem).toMatch(/crashed/);
  });

  /** A run on webgpu, measured with a different program in place of ours. */
  function onWebGpu(body: string, fallBack: boolean, before?: DeviceChoice) {
    lab.write('program.cjs', body);
    const warned: string[] = [];
    const opened = settle(task, task, {
      request: {
        engine: 'onnxruntime',
        device: 'webgpu',
        fallBack,
        given: { engine: false, device: true },
      },
      before,
      onFeatures: false,
      measuring: () => undefined,
      stopped: () => false,
      warn: (message) => warned.push(message),
      threads: 1,
      folder: lab.path('trials'),
      program: lab.path('program.cjs'),
    });
    return { opened, warned };
  }

  it('isolates a crash from a run that may fall back', async () => {
    const { opened: opening, warned } = onWebGpu('process.abort()', true);
    const opened = await opening;
    await opened!.stepper.dispose();
    const problem = expect.stringMatching(/^ONNX Runtime on webgpu cannot be used: .* crashed \(.+\)\.$/);
    expect(opened!.choice).toEqual({
      place: place('cpu'),
      reason: 'fallback',
      tried: [{ place: place('webgpu'), problem }],
    });
    expect(warned).toEqual([
      expect.stringMatching(/crashed .* The run continues with ONNX Runtime on cpu\.$/),
    ]);
  });

  it('isolates a crash from a run that may not fall back and reports it', async () => {
    await expect(onWebGpu('process.abort()', false).opened).rejects.toMatchObject({
      kind: 'device',
      message: expect.stringMatching(/^ONNX Runtime on webgpu cannot be used: .* crashed \(.+\)\.$/),
      hint: expect.stringContaining('--device cpu'),
    });
  });

  it('passes on the kind and the hint of a known error', async () => {
    const message = 'A single text does not fit.';
    const known = { kind: 'memory', message, hint: 'Lower model.maxLength.' };
    const answer = JSON.stringify({ problem: message, known });
    const { opened } = onWebGpu(`console.log(${JSON.stringify(answer)})`, false);
    await expect(opened).rejects.toMatchObject(known);
  });

  it.runIf(onWebgpu)('is not started when the device has already trained this run', async () => {
    const resumed: DeviceChoice = { place: place('webgpu'), reason: 'resumed', tried: [] };
    const opened = await onWebGpu('process.abort()', false, resumed).opened;
    expect(opened!.choice).toBe(resumed);
    await opened!.stepper.dispose();
  });

  it("trains the run's own first step", async () => {
    lab.write(
      'program.cjs',
      `require('fs').copyFileSync(process.argv[3], ${JSON.stringify(lab.path('request'))})`,
    );
    const options = { threads: 1, onFeatures: false, folder: lab.path('trials'), stopped: () => false };
    await measureDevices(task, CPU, { ...options, program: lab.path('program.cjs') });
    const answer = await runTrial(lab.path('request'));
    expect(answer).toEqual({ secondsPerStep: expect.any(Number), steps: expect.any(Number) });
    if ('problem' in answer) return;
    expect(answer.steps).toBeGreaterThanOrEqual(3);
    expect(answer.secondsPerStep).toBeGreaterThan(0);
    await measureDevices(task, CPU, { ...options, once: true, program: lab.path('program.cjs') });
    expect(await runTrial(lab.path('request'))).toEqual({ secondsPerStep: expect.any(Number), steps: 1 });
  });

  it('trains a head on cached features, as the run does', async () => {
    lab.write(
      'program.cjs',
      `require('fs').copyFileSync(process.argv[3], ${JSON.stringify(lab.path('request'))})`,
    );
    const head = await prepareTask({ ...task.spec, adapter: { method: 'none' } }, lab.path('graph'));
    const options = { threads: 1, onFeatures: true, once: true, folder: lab.path('trials') };
    const program = lab.path('program.cjs');
    await measureDevices(head, CPU, { ...options, stopped: () => false, program });
    expect(await runTrial(lab.path('request'))).toEqual({ secondsPerStep: expect.any(Number), steps: 1 });
  });
});
