import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { CLI, Lab } from './lab';
import { until } from '../until';

const lab = new Lab({
  training: { epochs: 1_000_000, evaluateEvery: 20, checkpointEvery: 1000 },
  sweep: { type: 'grid', parameters: { 'training.seed': [1, 2] }, parallel: 1 },
});
afterAll(() => lab.remove());

/** Starts a program with output to a pipe that nothing reads once its terminal is closed. */
const inTerminal = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

function close(terminal: ChildProcess): void {
  terminal.stdout!.destroy();
  terminal.stderr!.destroy();
  terminal.kill('SIGHUP');
}

describe.skipIf(process.platform === 'win32')('closing the terminal', () => {
  it('lets a run finish its step, save and stop, even after two hangups', async () => {
    const out = lab.fresh('runs');
    const terminal = inTerminal('train', lab.experiment, '--out', out);
    await until(() => existsSync(out) && lab.begun(out, 'adapter/best/adapter_model.safetensors'));
    const [run] = lab.runs(out);
    const exit = once(terminal, 'exit');
    close(terminal);
    terminal.kill('SIGHUP');
    expect(await exit).toEqual([130, null]);
    const { status, events } = readRun(run);
    expect(status).toMatchObject({ state: 'stopped' });
    expect(events.slice(-2)).toMatchObject([
      { kind: 'checkpoint', step: status!.step },
      { kind: 'stopped', step: status!.step, reason: 'requested' },
    ]);
  });

  it('lets a sweep and its trials save and stop', async () => {
    rmSync(lab.path('.aurora'), { recursive: true, force: true });
    const terminal = inTerminal('sweep', lab.experiment, '--device', 'cpu');
    const runs = lab.path('.aurora/runs/tiny');
    await until(() => existsSync(runs) && lab.begun(runs, 'adapter/best/adapter_model.safetensors'));
    const exit = once(terminal, 'exit');
    close(terminal);
    expect(await exit).toEqual([130, null]);
    const [trial] = lab.runs(runs);
    expect(readRun(trial).status).toMatchObject({ state: 'stopped' });
    const sweeps = lab.path('.aurora/sweeps/tiny');
    const [sweep] = readdirSync(sweeps);
    expect(JSON.parse(readFileSync(join(sweeps, sweep, 'status.json'), 'utf8'))).toMatchObject({
      state: 'stopped',
    });
  });
});
