import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolderIn } from '../../../src/files/folder';
import { temporaryFolderFor } from '../../../src/files/system-temporary';
import { isTemporary, removeAbandoned, temporaryBeside } from '../../../src/files/temporary';
import { writeAtomic } from '../../../src/files/atomic';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aurora-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const DAY = 24 * 60 * 60_000;

/** The temporary name that the process with this PID would have chosen. */
const nameOf = (target: string, pid: number): string =>
  basename(temporaryBeside(target)).replace(new RegExp(`-${process.pid}-(s\\d+-)?`), `-${pid}-`);

/** The PID of a process that has ended. */
const endedPid = (): number => spawnSync(process.execPath, ['--version']).pid;

describe('removing leftovers of killed writers', () => {
  it('removes files and folders of processes that have ended', () => {
    const gone = endedPid();
    writeFileSync(join(folder, nameOf('status.json', gone)), 'half');
    mkdirSync(join(folder, nameOf('out', gone), 'deep'), { recursive: true });
    expect(removeAbandoned(folder)).toHaveLength(2);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps files of this process and of other running processes', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    try {
      for (const pid of [process.pid, other.pid!]) writeFileSync(join(folder, nameOf('a.bin', pid)), '');
      expect(removeAbandoned(folder)).toEqual([]);
      const exit = once(other, 'exit');
      other.kill('SIGKILL');
      await exit;
      expect(removeAbandoned(folder)).toEqual([expect.stringContaining(`-${other.pid}-`)]);
    } finally {
      other.kill('SIGKILL');
    }
  });

  it('keeps files that another machine has modified within a day', () => {
    const foreign = nameOf('a', 1).replace(/\.[0-9a-f]{8}-/, '.00000000-');
    mkdirSync(join(folder, foreign));
    writeFileSync(join(folder, foreign, 'part'), '');
    const old = new Date(Date.now() - 2 * DAY);
    utimesSync(join(folder, foreign), old, old);
    expect(removeAbandoned(folder)).toEqual([]);
    expect(removeAbandoned(folder, Date.now() + 2 * DAY)).toEqual([foreign]);
  });

  it('never removes other files', () => {
    const others = ['.DS_Store', '.git', 'notes.tmp', '.vscode.tmp', 'export-final', 'a.aurora-tmp'];
    for (const name of others) writeFileSync(join(folder, name), '');
    expect(removeAbandoned(folder, Date.now() + 2 * DAY)).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual([...others].sort());
  });

  it('does nothing if the folder does not exist', () => {
    expect(removeAbandoned(join(folder, 'none'))).toEqual([]);
  });
});

describe('a temporary name', () => {
  it('is different on every call and always recognized', () => {
    const names = [1, 2, 3].map(() => basename(temporaryBeside(join(folder, 'x.json'))));
    expect(new Set(names).size).toBe(3);
    expect(names.every(isTemporary)).toBe(true);
  });

  it('fits beside a file with the longest possible name', () => {
    const path = join(folder, 'ö'.repeat(120));
    writeAtomic(path, 'text');
    expect(readdirSync(folder)).toEqual([basename(path)]);
  });
});

describe('writing within a folder', () => {
  it('creates subfolders but never the folder itself', () => {
    const run = join(folder, 'run');
    const path = join(run, 'adapter', 'best', 'a.json');
    expect(() => writeAtomic(path, '{}', run)).toThrow(
      expect.objectContaining({ kind: 'disk', message: expect.stringContaining('folder does not exist') }),
    );
    expect(existsSync(run)).toBe(false);
    mkdirSync(run);
    writeAtomic(path, '{}', run);
    expect(existsSync(path)).toBe(true);
    expect(makeFolderIn(run, run)).toBe(run);
  });
});

describe('a temporary folder of the system', () => {
  it('is removed by the next process if its own was killed, even if another process has got its number', () => {
    const [gone, reused] = ['gone', 'reused'].map((name) => temporaryFolderFor(name, folder)) as [
      string,
      string,
    ];
    const dead = join(folder, basename(gone).replace(`-${process.pid}-`, `-${endedPid()}-`));
    renameSync(gone, dead);
    // The system says when a process started on Linux.
    const other = join(folder, basename(reused).replace(/-s\d+-/, '-s1-'));
    renameSync(reused, other);
    const mine = temporaryFolderFor('mine', folder);
    expect(readdirSync(folder)).toEqual(
      process.platform === 'linux' ? [basename(mine)] : expect.arrayContaining([basename(mine)]),
    );
  });
});
