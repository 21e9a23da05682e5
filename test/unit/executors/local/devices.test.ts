import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { specText } from '../../specs';
import type { Experiment } from '../../../../src/experiment/experiment';
import { gpusFor } from '../../../../src/executors/local/devices';
import { LocalExecutor } from '../../../../src/executors/local/local-executor';
import type { TrialRecord } from '../../../../src/runs/sweep/record';
import { scratchFolder } from '../../../scratch';
import { TrialLooker } from '../../../../src/runs/sweep/look';

const home = scratchFolder('devices');
const GPUS = ['GPU-aaaa', 'GPU-bbbb'];

/** A stand-in for the driver's tool, which lists two GPUs. */
beforeAll(() => {
  mkdirSync(join(home, 'bin'));
  const script = `#!/bin/sh\n[ "$*" = "--query-gpu=uuid --format=csv,noheader" ] && printf '${GPUS.join('\\n')}\\n'\n`;
  writeFileSync(join(home, 'bin/nvidia-smi'), script);
  chmodSync(join(home, 'bin/nvidia-smi'), 0o755);
});

const environment = (given?: string): NodeJS.ProcessEnv => ({
  PATH: `${join(home, 'bin')}${delimiter}${process.env.PATH}`,
  ...(given !== undefined && { CUDA_VISIBLE_DEVICES: given }),
});

describe.skipIf(process.platform === 'win32')('the GPUs for trials', () => {
  it('are those that the driver lists, by UUID, for the devices that are NVIDIA GPUs', async () => {
    for (const device of ['cuda', 'tensorflow']) expect(await gpusFor(device, environment())).toEqual(GPUS);
    for (const device of ['cpu', 'webgpu', 'auto']) expect(await gpusFor(device, environment())).toEqual([]);
    expect(await gpusFor('cuda', { PATH: home })).toEqual([]);
  });

  it.each([
    ['2,0', ['2', '0']],
    [' GPU-aaaa , MIG-bbbb ', ['GPU-aaaa', 'MIG-bbbb']],
    ['0,0,1', ['0', '1']],
    ['0,-1,1', ['0']],
    ['', []],
    ['NoDevFiles', []],
  ])('are those that CUDA_VISIBLE_DEVICES=%j names', async (given, expected) => {
    expect(await gpusFor('cuda', environment(given))).toEqual(expected);
  });
});

describe.skipIf(process.platform === 'win32')('trials on two GPUs', () => {
  const before = { ...process.env };
  afterAll(() => {
    process.env = before;
  });
  const program = join(home, 'trainer.cjs');
  const runs = join(home, 'runs');
  /** In place of a trainer: says which GPU it sees, and runs until its file is removed. */
  const PROGRAM = `
    const fs = require('node:fs');
    const run = process.argv[process.argv.indexOf('--run') + 1];
    fs.writeFileSync(run + '/gpu', process.env.CUDA_VISIBLE_DEVICES ?? 'all');
    setInterval(() => fs.existsSync(run + '/gpu') || process.exit(), 20);
  `;

  it('are started on the one with the fewest, also by a queue that continues the sweep', async () => {
    delete process.env.CUDA_VISIBLE_DEVICES;
    process.env.PATH = environment().PATH;
    writeFileSync(program, PROGRAM);
    const records: TrialRecord[] = [1, 2, 3].map((number) => ({
      ...{ id: `t${number}`, number, settings: {}, planned: true },
    }));
    const room = { parallel: 4, threads: 1, engine: 'onnxruntime', device: 'cuda' };
    const executor = () =>
      new LocalExecutor(
        {
          ...{ folder: join(home, 'one'), runs, room, fallBack: false, acceptInputs: false },
          ...{ specs: new Map(), looker: new TrialLooker(), save: () => undefined },
          inputs: () => Promise.resolve([]),
        },
        { program, available: () => undefined, takenOver: () => false },
      );
    const whole = JSON.parse(specText('tiny')) as Experiment;
    const spec = { ...whole, model: { ...whole.model, tokenizer: '/models/tokenizer.json' } };
    let queue = executor();
    const start = async (record: TrialRecord) => {
      const trials = await queue.follow(records);
      await queue.submit([{ record, spec }], trials);
      const said = join(runs, record.run!, 'gpu');
      while (!existsSync(said) || readFileSync(said, 'utf8') === '') await wait(10);
      expect(record.launched?.gpu).toBe(readFileSync(said, 'utf8'));
      return record.launched?.gpu;
    };
    const end = (record: TrialRecord) => process.kill(record.launched!.pid, 'SIGKILL');
    try {
      expect(await start(records[0])).toBe(GPUS[0]);
      expect(await start(records[1])).toBe(GPUS[1]);
      queue = executor();
      end(records[0]);
      expect(await start(records[2])).toBe(GPUS[0]);
    } finally {
      for (const record of records.filter((r) => r.launched)) {
        try {
          end(record);
        } catch {
          // It has ended.
        }
      }
    }
  });
});
