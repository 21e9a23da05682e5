import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownerFile } from '../../../../src/files/fence';
import { groupIsThere, thisProcess } from '../../../../src/files/processes';
import type { Trainer } from '../../../../src/extension/launcher/trainer';
import { loadSweep } from '../../../../src/runs/experiment/load';
import { experimentSweeps } from '../../../../src/runs/layout';
import { withoutTimes } from '../../../../src/executors/local/log-times';
import { readRun } from '../../../read-run';
import { isAlive, readStatus } from '../../../../src/runs/status';
import { readSweep } from '../../../../src/runs/sweep/record';
import { AUTO, LONG, Studio, events, stepOf } from './studio';
import { until } from '../../../until';

const studio = new Studio();
let window: Trainer;
beforeAll(() => {
  window = studio.window();
});
afterAll(async () => {
  window.dispose();
  await studio.remove();
});

const runs = () => readdirSync(join(studio.lab.folder, '.aurora', 'runs', 'tiny'));

describe('a run started from the editor', () => {
  it('is a separate process that runs the copied programs and leaves a complete run folder', async () => {
    const run = await studio.start(window);
    const status = readStatus(run)!;
    expect(status.pid).not.toBe(process.pid);
    if (process.platform === 'linux') {
      const command = readFileSync(`/proc/${status.pid}/cmdline`, 'utf8').split('\0');
      expect(command).toContain(join(studio.storage, '0.1.0', 'cli.cjs'));
      expect(command).toContain('--lease');
      // It leads its own process group and has no input.
      const group = readFileSync(`/proc/${status.pid}/stat`, 'utf8').split(') ')[1].split(' ')[2];
      expect(Number(group)).toBe(status.pid);
    }
    await until(() => readStatus(run)!.state === 'finished');
    expect(readRun(run).result).toMatchObject({ outcome: 'finished' });
    const log = readFileSync(join(run, 'trainer.log'), 'utf8');
    expect(log).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ Preparing tiny/m);
    expect(withoutTimes(log)).toMatch(/^Preparing tiny/m);
    await until(async () => !(await groupIsThere(status.pid)));
    await until(() => studio.said.some((line) => line === `Process ${status.pid} ended: 0.`));
  });

  it('is saved, stopped and reported on request', async () => {
    const run = await studio.start(window, ...LONG);
    const { pid } = readStatus(run)!;
    await until(() => stepOf(run) > 7);
    const [outcome, again] = await Promise.all([window.stop(run), window.stop(run)]);
    expect(again).toBe(outcome);
    expect(await groupIsThere(pid)).toBe(false);
    expect(outcome.state).toBe('stopped');
    expect(outcome.savedStep).toBe(readRun(run).events.findLast((e) => e.kind === 'stopped')!.step);
    expect(outcome.message).toBe(`Stopped; the adapter is saved at step ${outcome.savedStep}.`);
    expect(existsSync(join(run, 'adapter', 'last', 'adapter_model.safetensors'))).toBe(true);
    expect(window.ownRuns()).not.toContain(run);

    // It can be resumed and stopped again. If a process on another machine may be training it, the user
    // decides.
    const owner = {
      ...thisProcess(),
      nonce: 'another',
      at: Date.now(),
      host: 'another-host',
      boot: 'another',
    };
    writeFileSync(ownerFile(run), JSON.stringify(owner));
    await expect(window.resume(run)).rejects.toMatchObject({
      kind: 'owned',
      message: expect.stringContaining('is owned by process'),
    });
    await window.resume(run, { takeOver: true });
    await until(() => stepOf(run) > outcome.savedStep! + 3);
    expect(events(run).findLast((e) => e.kind === 'resumed')).toMatchObject({ fromStep: outcome.savedStep });
    expect((await window.stop(run)).state).toBe('stopped');
  });

  it('can be forked into a new run beside it', async () => {
    const [source] = studio.begun;
    const step = Number(readdirSync(join(source, 'checkpoints')).sort()[0].slice('step-'.length));
    const fork = await window.fork(source, step, ['training.learningRate=0.001']);
    studio.begun.push(fork);
    await until(() => readStatus(fork)!.state === 'finished');
    expect(readRun(fork).spec.training.learningRate).toBe(0.001);
    expect(events(fork)[0]).toMatchObject({ kind: 'forked', fromStep: step });
  });

  it('that cannot start leaves no folder and reports the reason', async () => {
    const before = runs();
    const [source] = studio.begun;
    await expect(window.fork(source, 99_999, [])).rejects.toThrow('has no checkpoint of step 99999');
    expect(runs()).toEqual(before);
  });
});

describe.skipIf(process.platform === 'win32')('a sweep started from the editor', () => {
  const sweeping = (trials: object[]) => {
    const found = new Studio({ sweep: { type: 'list', parallel: 1, trials } });
    const { baseHash } = loadSweep(found.lab.experiment, []);
    return { found, folder: join(experimentSweeps(found.lab.experiment), baseHash) };
  };

  it('is rejected with the reason for each trial that cannot be trained', async () => {
    const { found, folder } = sweeping([{ 'adapter.targetModules': ['nowhere'] }, { 'adapter.rank': 1000 }]);
    const started = found.window().startSweep(found.lab.experiment, folder);
    await expect(started).rejects.toMatchObject({
      message: expect.stringMatching(/2 of 2 trials cannot be trained; .+\n.*nowhere.*\n.*1000/),
    });
    await found.remove();
  });

  it('is rejected if files changed since its earlier trials, and continues if that is accepted', async () => {
    const { found, folder } = sweeping([{}]);
    expect(found.lab.run('sweep', found.lab.experiment, '--device', 'cpu').code).toBe(0);
    const experiment = JSON.parse(found.lab.read('tiny.aurora.json')) as { sweep: { trials: object[] } };
    experiment.sweep.trials.push({ 'training.seed': 1 });
    found.lab.write('tiny.aurora.json', JSON.stringify(experiment));
    found.lab.write('train.jsonl', found.lab.read('train.jsonl').split('\n').slice(1).join('\n'));

    const window = found.window();
    await expect(window.startSweep(found.lab.experiment, folder)).rejects.toMatchObject({
      kind: 'inputs',
      message: expect.stringContaining('train.jsonl have changed.'),
    });
    await window.startSweep(found.lab.experiment, folder, { acceptChangedInputs: true });
    await until(() => readStatus(folder)!.state === 'finished');
    expect(readSweep(folder)!.acceptedInputs).toMatchObject([{ trial: 2, files: [{ role: 'train' }] }]);
    await found.remove();
  }, 180_000);

  it('can be stopped while its trials are checked', async () => {
    const { found, folder } = sweeping([{ 'training.learningRate': 0.01 }]);
    const { env, file } = found.lab.hanging('check-trials');
    // A trainer inherits none of these variables from the editor, so this Node sets them.
    const nodePath = found.lab.path('node');
    const sets = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
    writeFileSync(nodePath, `#!/bin/sh\n${sets.join(' ')} exec '${process.execPath}' "$@"\n`, {
      mode: 0o755,
    });
    const settings = { nodePath, threads: 1, keepRunsAfterClose: false, cluster: {}, ...AUTO };
    const window = found.window({ settings: () => settings });
    const started = window.startSweep(found.lab.experiment, folder);
    await until(() => existsSync(file));
    expect(readStatus(folder)!.state).toBe('running');
    expect((await window.stop(folder)).state).toBe('stopped');
    await started;
    expect(readSweep(folder)!.trials.every((t) => t.unchecked)).toBe(true);
    await found.remove();
  });
});

describe('after a window reload', () => {
  it('a leased run is found, kept alive, and dropped once it has ended', async () => {
    const first = studio.window();
    const run = await studio.start(first, ...LONG);
    expect(studio.remembered).toContain(run);
    first.dispose();
    const lease = join(run, 'control', 'lease');
    const old = new Date(Date.now() - 40_000);
    utimesSync(lease, old, old);

    const second = studio.window();
    expect(second.ownRuns()).toContain(run);
    await until(() => statSync(lease).mtimeMs > old.getTime() + 20_000);
    expect(isAlive(readStatus(run))).toBe(true);
    expect((await second.stop(run)).state).toBe('stopped');
    expect(studio.remembered).not.toContain(run);
    second.dispose();
  });

  it('a finished run is dropped', async () => {
    studio.remembered = [studio.begun[0], join(studio.lab.folder, 'gone')];
    const third = studio.window();
    await until(() => !third.ownRuns().includes(studio.begun[0]));
    third.dispose();
    studio.remembered = [];
  });
});

it('a run without a lease needs no window', async () => {
  const free = studio.window({
    settings: () => ({ nodePath: '', threads: 1, keepRunsAfterClose: true, cluster: {}, ...AUTO }),
  });
  const run = await studio.start(free, ...LONG);
  expect(free.ownRuns()).toEqual([]);
  expect(existsSync(join(run, 'control', 'lease'))).toBe(false);
  expect((await free.stop(run)).state).toBe('stopped');
});

describe('in an untrusted workspace', () => {
  it('only the model parser runs, without the runtime', async () => {
    const careful = studio.window({ trusted: () => false });
    const { experiment } = studio.lab;
    await expect(careful.start(experiment)).rejects.toMatchObject({ piece: 'trust' });
    await expect(careful.resume(studio.begun[0])).rejects.toMatchObject({ piece: 'trust' });
    await expect(careful.fork(studio.begun[0], 3, [])).rejects.toMatchObject({ piece: 'trust' });
    await expect(careful.stop(studio.begun[0])).rejects.toMatchObject({ piece: 'trust' });
    await expect(careful.program(['train', experiment], { untrusted: true })).rejects.toMatchObject({
      piece: 'trust',
    });
    const model = studio.lab.path('model.onnx');
    await expect(careful.program(['inspect', model])).rejects.toMatchObject({ piece: 'trust' });
    const inspect = await careful.program(['inspect', model, '--json'], { untrusted: true });
    expect(inspect.code).toBe(0);
    expect(JSON.parse(inspect.stdout).layers.length).toBeGreaterThan(0);
  });

  it('a download by name runs, and one of what a file names does not', async () => {
    const careful = studio.window({ trusted: () => false });
    const options = {
      untrusted: true,
      env: { HF_HUB_OFFLINE: '1', HF_HUB_CACHE: studio.lab.path('no-cache') },
    };
    await expect(careful.program(['get', studio.lab.experiment], options)).rejects.toMatchObject({
      piece: 'trust',
    });
    const { error } = await careful.program(['get', 'model', 'org/name', '--show', '--json'], options);
    expect(error).toMatchObject({
      kind: 'network',
      message: expect.stringContaining('Offline mode is on'),
    });
  });

  it('`inspect` loads no native library', () => {
    const watch = studio.lab.path('watch.cjs');
    writeFileSync(
      watch,
      `const { dlopen } = process;
       process.dlopen = (...a) => { process.stderr.write('dlopen ' + a[1] + '\\n'); return dlopen.apply(process, a); };`,
    );
    const loaded = (...args: string[]) =>
      spawnSync(process.execPath, ['--require', watch, 'dist/cli.cjs', ...args], { encoding: 'utf8' }).stderr;
    expect(loaded('inspect', studio.lab.path('model.onnx'))).toBe('');
    // Proves that the watch would detect one.
    const out = studio.folder('watched');
    expect(loaded('train', studio.lab.experiment, '--out', out, '--set', 'training.maxSteps=1')).toMatch(
      /dlopen .*onnxruntime_binding\.node/,
    );
  });
});

it('the machine is described without running a check', async () => {
  const report = await window.machine();
  expect(report.problems).toEqual([]);
  expect(report.node).toMatchObject({ version: process.versions.node, from: 'extension' });
  expect(report.runtime!.version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(report.totalMemory).toBeGreaterThan(report.freeMemory);
});
