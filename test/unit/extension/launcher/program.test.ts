import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { trainerEnvironment } from '../../../../src/extension/launcher/environment';
import { processExists as isThere } from '../../../../src/files/processes';
import { startProgram } from '../../../../src/executors/local/program';
import { until } from '../../../until';
import { scratchFolder } from '../../../scratch';

const folder = scratchFolder('program');

let count = 0;
function script(text: string): string {
  const path = join(folder, `script-${count++}.cjs`);
  writeFileSync(path, text);
  return path;
}
const start = (text: string, more: Partial<Parameters<typeof startProgram>[0]> = {}) =>
  startProgram({ node: process.execPath, args: [script(text)], env: process.env, ...more });

describe('a short command', () => {
  it('reports its lines as they come, its exit code and both streams', async () => {
    const lines: string[] = [];
    const text = `process.stdout.write('é'.repeat(3)); setTimeout(() => {
      process.stdout.write(' one\\ntwo\\nthree'); process.stderr.write('why'); process.exitCode = 7; }, 50);`;
    const result = await start(text, { onLine: (line) => lines.push(line) }).ended;
    expect(lines).toEqual(['ééé one', 'two', 'three']);
    expect(result).toEqual({ code: 7, stdout: 'ééé one\ntwo\nthree', stderr: 'why' });
  });

  it('gets an empty input', async () => {
    const text = `process.stdin.on('end', () => console.log('nothing')).resume();`;
    expect((await start(text).ended).stdout).toBe('nothing\n');
  });

  it('can receive input, and input after its end is ignored', async () => {
    const text = `require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
      if (line === 'end') process.exit(0); console.log('got ' + line); });`;
    const lines: string[] = [];
    const running = start(text, {
      input: true,
      timeout: Infinity,
      onLine: (line) => {
        lines.push(line);
        running.send('end');
      },
    });
    running.send('a word');
    expect((await running.ended).code).toBe(0);
    expect(lines).toEqual(['got a word']);
    running.send('too late');
  });

  it('is killed with its child processes when canceled', async () => {
    const pids: number[] = [];
    const text = `const c = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e3)']);
      console.log(c.pid); setInterval(() => {}, 1e3);`;
    const running = start(text, { onLine: (line) => pids.push(Number(line)) });
    await until(() => pids.length === 1);
    running.kill('was canceled');
    await expect(running.ended).rejects.toThrow('was canceled and was stopped');
    await until(async () => !(await isThere(pids[0])));
  });

  it.runIf(process.platform !== 'win32')('may clean up before it is killed', async () => {
    const left = join(folder, 'left');
    const text = `const fs = require('fs'); const left = ${JSON.stringify(left)};
      process.on('SIGTERM', () => process.exit(130)); process.on('exit', () => fs.rmSync(left));
      fs.writeFileSync(left, ''); setInterval(() => {}, 1e3);`;
    const running = start(text);
    await until(() => existsSync(left));
    running.kill('was canceled');
    await expect(running.ended).rejects.toThrow('was canceled');
    expect(existsSync(left)).toBe(false);
  });

  it.runIf(process.platform !== 'win32').each([
    ['after a moment to clean up', false],
    ['immediately if nothing waits for it', true],
  ])('that ignores the signal is killed %s', async (_, now) => {
    const asked = join(folder, `asked-${now}`);
    const text = `process.on('SIGTERM', () => require('fs').writeFileSync(${JSON.stringify(asked)}, ''));
      setInterval(() => {}, 1e3); console.log('deaf');`;
    let deaf = false;
    const running = start(text, { onLine: () => (deaf = true) });
    await until(() => deaf);
    const began = performance.now();
    running.kill('was canceled', now);
    await expect(running.ended).rejects.toThrow('was canceled');
    if (now) expect(existsSync(asked)).toBe(false);
    else expect(performance.now() - began).toBeGreaterThan(2000);
  });

  it('is killed after its time limit', async () => {
    const running = start('setInterval(() => {}, 1e3)', { timeout: 300 });
    await expect(running.ended).rejects.toThrow('took longer than');
  });

  it('that cannot be started gives an error that names it', async () => {
    const running = startProgram({ node: join(folder, 'none'), args: [], env: {} });
    await expect(running.ended).rejects.toThrow(`${join(folder, 'none')} could not be started`);
  });
});

it.runIf(process.platform === 'linux')('a trainer gets its memory in large pages', async () => {
  const { stdout } = await start('console.log(process.env.GLIBC_TUNABLES)', { env: {} }).ended;
  expect(stdout.trim()).toBe('glibc.malloc.hugetlb=1');
});

it("a trainer inherits what runtimes need, but neither the editor's variables nor secrets", () => {
  const from = {
    PATH: '/bin',
    HOME: '/home/a',
    LC_ALL: 'C',
    CUDA_VISIBLE_DEVICES: '0',
    NODE_OPTIONS: '--inspect',
    ELECTRON_RUN_AS_NODE: '1',
    VSCODE_PID: '1',
    SOME_TOKEN: 'x',
  };
  expect(Object.keys(trainerEnvironment(from, 'linux'))).toEqual([
    'PATH',
    'HOME',
    'LC_ALL',
    'CUDA_VISIBLE_DEVICES',
  ]);
  expect(trainerEnvironment({ Path: 'C:\\', SystemRoot: 'C:\\W', token: 'x' }, 'win32')).toEqual({
    Path: 'C:\\',
    SystemRoot: 'C:\\W',
  });
});
