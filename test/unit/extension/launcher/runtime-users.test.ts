import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureRuntime, removeOldVersions } from '../../../../src/extension/launcher/runtime-copy';
import { noteUse } from '../../../../src/files/in-use';
import { processExists } from '../../../../src/files/processes';
import { readRun } from '../../../read-run';
import { Lab } from '../../../cli/lab';
import { scratchFolder } from '../../../scratch';
import { until } from '../../../until';

const folder = scratchFolder('users');
const storage = join(folder, 'storage');
const copy = join(storage, '0.1.0');
const cli = join(copy, 'cli.cjs');
const update = () => removeOldVersions(storage, '0.2.0');
const notes = () => readdirSync(join(copy, 'in-use'));

beforeEach(async () => void (await ensureRuntime(resolve('dist'), copy)));

describe('an update of the extension', () => {
  const lab = new Lab({
    training: { epochs: 40_000, evaluateEvery: 20, checkpointEvery: 1000 },
    sweep: { type: 'grid', parameters: { 'training.seed': [1, 2] }, parallel: 1 },
  });
  afterAll(() => lab.remove());

  it('keeps the copy that a sweep in a terminal runs from, then the one that its trial runs from', async () => {
    const sweep = spawn(process.execPath, [cli, 'sweep', lab.experiment, '--device', 'cpu'], {
      stdio: 'ignore',
    });
    const exit = once(sweep, 'exit');
    const runs = lab.path('.aurora/runs/tiny');
    await until(() => existsSync(runs) && lab.begun(runs, 'events.jsonl'));
    const [run] = lab.runs(runs);
    await until(() => readRun(run).status?.state === 'running');
    const { pid } = readRun(run).status!;
    try {
      expect(await update()).toEqual([]);
      sweep.kill('SIGKILL');
      await exit;
      expect(await update()).toEqual([]);
      expect(notes().map((name) => parseInt(name, 10))).toEqual([pid]);
      expect(existsSync(cli)).toBe(true);
    } finally {
      // The sweep ends first, because it would start the next trial.
      sweep.kill('SIGKILL');
      await exit;
      process.kill(pid, 'SIGKILL');
    }
    await until(() => !processExists(pid));
    expect(await update()).toEqual(['0.1.0']);
    expect(readdirSync(storage)).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')(
    'restores a copy from which a program has started since the check',
    async () => {
      // The check blocks on this pipe until something is written.
      const slow = join(copy, 'in-use', '99999999');
      expect(spawnSync('mkfifo', [slow]).status).toBe(0);
      const removal = update();
      const writer = await open(slow, 'w');
      const leave = noteUse(copy);
      await writer.writeFile('0');
      await writer.close();
      expect(await removal).toEqual([]);
      expect(readdirSync(storage)).toEqual(['0.1.0']);
      expect(notes()).toHaveLength(1);
      leave();
      expect(await update()).toEqual(['0.1.0']);
    },
  );

  it('removes what a killed removal has left', async () => {
    const left = '.0.0.9.01234567-1-89abcdef.aurora-tmp';
    mkdirSync(join(storage, left));
    mkdirSync(join(storage, '.other'));
    expect(await update()).toEqual(['0.1.0']);
    expect(readdirSync(storage)).toEqual(['.other']);
    rmSync(join(storage, '.other'), { recursive: true });
  });
});

describe('a program', () => {
  const help = (program: string, ...node: string[]) =>
    spawnSync(process.execPath, [...node, program, '--help'], { encoding: 'utf8' });

  it('removes its note when it ends, and leaves none beside a program that is not a copy', () => {
    expect(help(cli).status).toBe(0);
    expect(notes()).toEqual([]);
    expect(help(resolve('dist/cli.cjs')).status).toBe(0);
    expect(existsSync(resolve('dist/in-use'))).toBe(false);
  });

  it('runs even if the note cannot be written', () => {
    rmSync(join(copy, 'in-use'), { recursive: true });
    writeFileSync(join(copy, 'in-use'), '');
    expect(help(cli).status).toBe(0);
    rmSync(copy, { recursive: true });
  });

  it('refuses to run from a copy that is removed while it starts', () => {
    const hook = join(folder, 'hook.cjs');
    writeFileSync(
      hook,
      `const fs = require('node:fs'), write = fs.writeFileSync;
fs.writeFileSync = (path, ...rest) => {
  if (String(path).includes('in-use')) fs.renameSync(${JSON.stringify(copy)}, ${JSON.stringify(`${copy}-away`)});
  return write(path, ...rest);
};`,
    );
    const { status, stderr } = help(cli, '--require', hook);
    expect(status).toBe(1);
    expect(stderr).toContain('was removed while it was starting');
    rmSync(`${copy}-away`, { recursive: true });
  });
});
