import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deviceFacts } from '../../src/engine/devices';
import { runPaths } from '../../src/runs/layout';
import { readRun } from '../read-run';
import type { DeviceEvent, RunEvent } from '../../src/protocol/events';
import type { PreflightLine } from '../../src/protocol/preflight';
import { onWebgpu } from '../webgpu';
import { Lab, warnings } from './lab';

// 12 steps per epoch, 24 in total; checkpoints at 3, 6, …, evaluations at 10, 20, 24.
const lab = new Lab({ training: { epochs: 2 } });
afterAll(() => lab.remove());

/** Trains one more run with the built program. */
let runs = 0;
function train(...args: string[]) {
  const out = lab.path(`runs-${++runs}`);
  const outcome = lab.run('train', lab.experiment, '--out', out, ...args);
  return { ...outcome, run: lab.runs(out)[0] };
}
const device = (run: string): DeviceEvent & RunEvent =>
  readRun(run).events.findLast((e) => e.kind === 'device')!;
const environment = (run: string) => (readRun(run).result as { environment: object }).environment;
const adapter = (run: string) => readFileSync(join(run, 'adapter/last/adapter_model.safetensors'));
const curve = (run: string) => [...readRun(run).scalars.column('loss')!];

/** A copy of a finished run in the state of one that was killed after the second-to-last checkpoint. */
function killed(run: string, last = 'step-000024'): string {
  const copy = join(lab.folder, `killed-${++runs}`);
  cpSync(run, copy, { recursive: true });
  rmSync(runPaths(copy).result);
  rmSync(join(copy, 'checkpoints', last), { recursive: true });
  return copy;
}

describe('auto', () => {
  it('tries only promising devices and gives the reason for leaving out each of the others', () => {
    const { gpuFile, platform } = deviceFacts();
    const r = train();
    expect([r.code, r.err]).toEqual([0, expect.stringMatching(/^Device: ONNX Runtime on /m)]);
    const event = device(r.run);
    expect(event.tried.map((t) => t.device)).toContain('webgpu');
    if (platform !== 'linux' || gpuFile) return;
    expect(event).toMatchObject({ step: 0, engine: 'onnxruntime', device: 'cpu', reason: 'only' });
    expect(event.tried[0]).toEqual({
      engine: 'onnxruntime',
      device: 'webgpu',
      problem: expect.stringMatching(/^no graphics card/),
      missing: true,
    });
    expect(r.err).not.toContain('graphics card');
    expect(r.err).not.toContain('Measuring');
    expect(r.out).toContain('Trained in ONNX Runtime on cpu, the only candidate on this machine.');
  });

  it.runIf(onWebgpu)('measures the listed devices in separate processes and uses the fastest', () => {
    const r = train('--device', 'auto:cpu,webgpu');
    expect([r.code, r.err]).toEqual([
      0,
      expect.stringContaining('Measuring the first step: ONNX Runtime on cpu, ONNX Runtime on webgpu…'),
    ]);
    const event = device(r.run);
    const [cpu, webgpu] = event.tried;
    expect([cpu.device, webgpu.device]).toEqual(['cpu', 'webgpu']);
    expect(webgpu.secondsPerStep).toBeGreaterThan(0);
    expect(event.reason).toBe('fastest');
    expect(event.device).toBe(cpu.secondsPerStep! <= 1.1 * webgpu.secondsPerStep! ? 'cpu' : 'webgpu');
    expect(readRun(r.run).result).toMatchObject({ device: { reason: 'fastest', tried: event.tried } });
  });

  it.skipIf(process.platform !== 'linux')('leaves out a device that cannot be measured', () => {
    const none = { VK_DRIVER_FILES: '/none.json', VK_ICD_FILENAMES: '/none.json' };
    Object.assign(process.env, none);
    const r = train('--device', 'auto:cpu,webgpu');
    for (const name of Object.keys(none)) delete process.env[name];
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('Device: ONNX Runtime on cpu')]);
    const event = device(r.run);
    expect(event).toMatchObject({ device: 'cpu', reason: 'fastest' });
    expect(event.tried[1].secondsPerStep).toBeUndefined();
    expect(event.tried[1].problem).toBeTruthy();
  });
});

it('a run stopped while devices are measured starts when it is resumed', async () => {
  const out = lab.path('told-to-stop');
  const child = lab.start('train', lab.experiment, '--out', out, '--device', 'auto:cpu,webgpu');
  const end = new Promise((resolve) => child.once('exit', resolve));
  const measured = () => existsSync(out) && lab.runs(out).find((r) => existsSync(join(r, 'graph/trial-cpu')));
  for (let i = 0; i < 4000 && !measured(); i++) await wait(5);
  const [run] = lab.runs(out);
  const { control } = runPaths(run);
  mkdirSync(control, { recursive: true });
  writeFileSync(join(control, 'stop'), '');
  expect(await end).toBe(130);
  expect(readRun(run).status?.state).toBe('stopped');
  expect(readRun(run).events.map((e) => e.kind)).not.toContain('started');
  expect(existsSync(join(run, 'graph'))).toBe(false);
  const r = lab.run('train', '--resume', run, '--device', 'cpu');
  expect([r.code, r.err]).toEqual([0, expect.stringContaining('Training aurora')]);
});

it('a run killed before it had a device resumes with the requested one', () => {
  const run = killed(train('--engine', 'tfjs', '--device', 'wasm', '--set', 'training.maxSteps=2').run, '');
  const { events } = runPaths(run);
  const [asked] = readFileSync(events, 'utf8').split('\n');
  expect(JSON.parse(asked)).toMatchObject({ kind: 'requested', engine: 'tfjs', device: 'wasm' });
  writeFileSync(events, `${asked}\n`);
  const r = lab.run('train', '--resume', run);
  expect([r.code, r.err]).toEqual([0, expect.stringContaining('TensorFlow.js on wasm, as requested')]);
});

describe.runIf(onWebgpu)('a run on webgpu', () => {
  let first: ReturnType<typeof train>;
  beforeAll(() => {
    first = train('--device', 'webgpu');
  });

  it('trains to the end and names its device', () => {
    expect([first.code, first.err]).toEqual([
      0,
      expect.stringContaining('Device: ONNX Runtime on webgpu, as requested.'),
    ]);
    expect(device(first.run)).toMatchObject({ device: 'webgpu', reason: 'chosen', tried: [], step: 0 });
    expect(environment(first.run)).toMatchObject({ engine: 'onnxruntime', device: 'webgpu' });
    const cpu = curve(train('--device', 'cpu').run);
    curve(first.run).forEach((loss, i) => expect(loss).toBeCloseTo(cpu[i], 4));
  });

  it('stays on its device when resumed', () => {
    const run = killed(first.run);
    const r = lab.run('train', '--resume', run);
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('Resuming at step 21')]);
    expect(device(run)).toMatchObject({ device: 'webgpu', reason: 'resumed', step: 21 });
    expect(warnings(run).filter((w) => w.includes('last bits'))).toEqual([]);
    // A real GPU may not be deterministic; the software renderer is.
    if (!deviceFacts().gpuFile) expect(adapter(run)).toEqual(adapter(first.run));
  });

  it('stays on its device when forked', () => {
    const r = lab.run('train', '--fork', first.run, '--at', '21', '--device', 'auto');
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('ONNX Runtime on webgpu, as before')]);
  });

  it('moves to another device if requested, with a warning', () => {
    const run = killed(first.run);
    const r = lab.run('train', '--resume', run, '--device', 'cpu');
    const words = 'device was webgpu and is now cpu: the resumed run may differ';
    expect([r.code, r.err]).toEqual([0, expect.stringContaining(words)]);
    expect(device(run)).toMatchObject({ device: 'cpu', reason: 'chosen', step: 21 });
    expect(environment(run)).toMatchObject({ device: 'cpu' });
  });
});

it('a TensorFlow.js run is resumed with TensorFlow.js, whatever the default engine', () => {
  const first = train('--engine', 'tfjs', '--device', 'wasm', '--set', 'training.maxSteps=6');
  expect([first.code, first.err]).toEqual([0, expect.stringContaining('Device: TensorFlow.js on wasm')]);
  expect(environment(first.run)).toMatchObject({
    engine: 'tfjs',
    runtime: expect.stringMatching(/^tfjs-core/),
  });
  const run = killed(first.run, 'step-000006');
  const r = lab.run('train', '--resume', run);
  expect([r.code, r.err]).toEqual([0, expect.stringContaining('TensorFlow.js on wasm, as before')]);
  expect(adapter(run)).toEqual(adapter(first.run));
});

describe.skipIf(deviceFacts().cudaProvider)('cuda without its provider', () => {
  it('stops the run with a hint', () => {
    const r = train('--device', 'cuda');
    expect([r.code, r.err]).toEqual([19, expect.stringMatching(/error: .*(CUDA|cuda).*\n {7}\S/)]);
    expect(readRun(r.run).events.at(-1)).toMatchObject({
      kind: 'failed',
      error: 'device',
      hint: expect.stringMatching(/\S/),
    });
    expect(existsSync(join(r.run, 'graph'))).toBe(false);
  });

  it('continues on the CPU if that is allowed, with a warning', () => {
    const r = train('--device', 'cuda', '--fallback');
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('because the chosen device cannot be used')]);
    const event = device(r.run);
    expect(event).toMatchObject({ device: 'cpu', reason: 'fallback' });
    expect(event.tried).toEqual([{ engine: 'onnxruntime', device: 'cuda', problem: expect.anything() }]);
    expect(warnings(r.run).filter((w) => w.includes('continues with ONNX Runtime on cpu'))).toHaveLength(1);
    expect(readRun(r.run).result).toMatchObject({ device: { device: 'cpu', reason: 'fallback' } });
  });
});

it.runIf(onWebgpu)('a preflight names the device that it measures and estimates for it', () => {
  const r = lab.run('preflight', lab.experiment, '--json', '--steps', '1', '--device', 'auto:webgpu,cpu');
  const lines = r.out
    .trimEnd()
    .split('\n')
    .filter((l) => l.startsWith('{'));
  const told = lines.map((l) => JSON.parse(l) as PreflightLine).filter((l) => l.kind !== 'problem');
  expect(told.map((l) => l.kind)).toEqual([
    ...['modules', 'data', 'measuring', 'device'],
    ...['step', 'step', 'estimate'],
  ]);
  expect(told[3]).toMatchObject({ reason: 'fastest', tried: [{ device: 'webgpu' }, { device: 'cpu' }] });
  const words = lab.run('preflight', lab.experiment, '--steps', '1', '--device', 'cpu');
  expect([words.code, words.out]).toEqual([
    0,
    expect.stringContaining('\nDevice: ONNX Runtime on cpu, as requested.\n'),
  ]);
});

it('a device that the engine does not have is rejected with a list of its devices', () => {
  const r = lab.run('train', lab.experiment, '--engine', 'tfjs', '--device', 'cuda');
  expect([r.code, r.err]).toEqual([2, expect.stringContaining('it has cpu, wasm, webgpu, tensorflow.')]);
});
