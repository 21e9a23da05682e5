import { describe, expect, it } from 'vitest';
import { diskHint } from '../../../src/cli/help-text';
import { diskError } from '../../../src/files/atomic';
import { AuroraError } from '../../../src/base/errors';
import { exportCommand } from '../../../src/cli/commands/export';
import { sweepCommand } from '../../../src/cli/commands/sweep/sweep';
import { train } from '../../../src/cli/commands/train/train';

const failed = (code: string, syscall = 'write') =>
  diskError('/data/x', Object.assign(new Error(code), { code, syscall })) as AuroraError;

describe('the hint for a disk error', () => {
  it.each([
    ['train', train, 'ENOSPC', true, false],
    ['train', train, 'EACCES', false, true],
    ['export', exportCommand, 'ENOSPC', false, false],
    ['export', exportCommand, 'EROFS', false, true],
    ['sweep', sweepCommand, 'ENOSPC', false, false],
    ['sweep', sweepCommand, 'EACCES', false, false],
  ] as const)('names only options that %s has (%#)', (_, command, code, resume, out) => {
    const hint = diskHint(command, failed(code))!;
    expect([hint.includes('--resume'), hint.includes('--out')]).toEqual([resume, out]);
    for (const [, option] of hint.matchAll(/--([a-z-]+)/g)) expect(command.options).toHaveProperty(option);
  });

  it.each(['EIO', 'ESTALE', 'EBUSY', 'ENOENT', 'ENAMETOOLONG', 'EMFILE', 'EROFS', 'EDQUOT'])(
    'is given for %s',
    (code) => {
      expect(failed(code)).toMatchObject({ kind: 'disk', message: expect.stringContaining('/data/x') });
    },
  );

  it('is not given for other errors', () => {
    for (const e of [
      new TypeError('x'),
      Object.assign(new Error('spawn'), { code: 'ENOENT', syscall: 'spawn node' }),
      Object.assign(new Error('net'), { code: 'ECONNRESET', syscall: 'read' }),
      new AuroraError('run', 'x'),
    ])
      expect(diskError('/data/x', e)).toBe(e);
  });
});
