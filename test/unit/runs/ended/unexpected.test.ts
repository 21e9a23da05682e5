import { renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startTrainer } from '../../../../src/executors/local/start-trainer';
import { launchTrainer } from '../../../../src/executors/local/launch-trainer';
import type { RunStatus } from '../../../../src/protocol/events';
import { recordSignal, signalThatEnded } from '../../../../src/runs/ended/signal';
import { unexpectedEnd } from '../../../../src/runs/ended/unexpected';
import { hashInput, writeInputs, type NamedInput } from '../../../../src/runs/inputs';
import { temporaryFolders } from '../folder';

const folder = temporaryFolders();
const PID = 4711;
const DAY = 86_400_000;

/** The last status of a trainer that began a second ago. */
const status = (more: Partial<RunStatus> = {}): RunStatus => ({
  ...{ pid: PID, host: hostname(), nonce: 'n', state: 'running', step: 3, steps: 10 },
  ...{ startedAt: Date.now() - 1000, heartbeat: Date.now() },
  ...more,
});

/** A run that was trained on a model of 9,000 bytes, written a day ago. */
async function run(role: NamedInput['role'] = 'model'): Promise<{ run: string; model: string }> {
  const at = folder();
  const model = join(at, 'model.onnx');
  writeFileSync(model, Buffer.alloc(9000, 1));
  utimesSync(model, (Date.now() - DAY) / 1000, (Date.now() - DAY) / 1000);
  let file = await hashInput({ role, path: model });
  // Once a later change must show in its times.
  while (!file.identity) file = await hashInput({ role, path: model });
  writeInputs(at, { version: 1, since: 0, files: [file] });
  return { run: at, model };
}

describe('the end of a trainer that was killed', () => {
  it.each(['model', 'model-data'] as const)(
    'is explained by a %s that was truncated in the meantime',
    async (role) => {
      const { run: at, model } = await run(role);
      truncateSync(model, 4096);
      const known = { model: { path: model, before: 9000, after: 4096 } };
      expect(await unexpectedEnd(at, status())).toEqual(known);
      recordSignal(at, PID, 'SIGBUS');
      expect(await unexpectedEnd(at, status())).toEqual({ signal: 'SIGBUS', ...known });
    },
  );

  it('is explained by a model that was rewritten in the same size, if the signal says so', async () => {
    const { run: at, model } = await run();
    writeFileSync(model, Buffer.alloc(9000, 2));
    expect(await unexpectedEnd(at, status())).toEqual({});
    recordSignal(at, PID, 'SIGBUS');
    expect(await unexpectedEnd(at, status())).toMatchObject({ model: { before: 9000, after: 9000 } });
  });

  it('is not explained by a model that was replaced, removed, or truncated on another day', async () => {
    const { run: at, model } = await run();
    expect(await unexpectedEnd(at, status())).toEqual({});
    truncateSync(model, 10);
    const [startedAt, heartbeat] = [Date.now() - 2 * DAY, Date.now() - DAY];
    expect(await unexpectedEnd(at, status({ startedAt, heartbeat }))).toEqual({});
    writeFileSync(`${model}.new`, 'short');
    renameSync(`${model}.new`, model);
    expect(await unexpectedEnd(at, status())).toEqual({});
    rmSync(model);
    recordSignal(at, PID, 'SIGBUS');
    expect(await unexpectedEnd(at, status())).toEqual({ signal: 'SIGBUS' });
  });

  it('is not explained by data, nor by this machine’s copy of a model that another machine reads', async () => {
    const data = await run('train');
    truncateSync(data.model, 10);
    expect(await unexpectedEnd(data.run, status())).toEqual({});
    const model = await run();
    truncateSync(model.model, 10);
    expect(await unexpectedEnd(model.run, status({ host: 'elsewhere' }))).toEqual({});
  });

  it('is not explained by the signal of another trainer, nor by a damaged record', async () => {
    const { run: at } = await run();
    recordSignal(at, PID + 1, 'SIGKILL');
    expect(await unexpectedEnd(at, status())).toEqual({});
    expect(signalThatEnded(at, undefined)).toBe('SIGKILL');
    for (const text of ['{', 'null', '[]', `{"pid":${PID},"signal":"[x](command:y)"}`]) {
      writeFileSync(join(at, 'control', 'ended.json'), text);
      expect(await unexpectedEnd(at, status())).toEqual({});
    }
  });

  it('is recorded for a removed folder nowhere', () => {
    const at = folder();
    rmSync(at, { recursive: true });
    recordSignal(at, PID, 'SIGKILL');
    expect(signalThatEnded(at, PID)).toBeUndefined();
  });
});

describe.runIf(process.platform !== 'win32')('a process that was started as a trainer', () => {
  const start = (code: string, at: string) =>
    startTrainer({ node: process.execPath, args: ['-e', code], run: at });

  it.each(['SIGBUS', 'SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGILL'])(
    'leaves %s in its folder',
    async (signal) => {
      const at = folder();
      const { pid, ended } = await start(
        `process.kill(process.pid, '${signal}'); setInterval(() => 0, 9)`,
        at,
      );
      expect([await ended, signalThatEnded(at, pid)]).toEqual([signal, signal]);
    },
  );

  it('leaves nothing if it exits', async () => {
    const at = folder();
    const { pid, ended } = await start('process.exitCode = 135', at);
    expect([await ended, signalThatEnded(at, pid)]).toEqual([135, undefined]);
  });
});

it.runIf(process.platform !== 'win32')(
  'a trainer that is killed before its first word is an error with the signal',
  async () => {
    const run = folder();
    const code =
      "process.stderr.write('error: earlier\\nlast words\\n', () => process.kill(process.pid, 'SIGABRT')); setInterval(() => 0, 9)";
    const launched = launchTrainer({ node: process.execPath, args: ['-e', code], run, env: process.env });
    await expect(launched).rejects.toMatchObject({
      message: expect.stringMatching(
        /^The trainer ended immediately: the program crashed \(SIGABRT\)\.[^]+last words$/,
      ) as string,
      hint: expect.stringContaining('trainer.log') as string,
    });
  },
);
