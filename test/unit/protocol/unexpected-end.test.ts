import { describe, expect, it } from 'vitest';
import {
  endHint,
  endReason,
  isExplained,
  type UnexpectedEnd,
} from '../../../src/protocol/run-files/unexpected-end';

const model = { path: '/m/model.onnx', before: 4_000_000, after: 5000 };

describe('the reason for the end of a trainer', () => {
  it.each<[UnexpectedEnd, RegExp, RegExp]>([
    [
      { signal: 'SIGBUS', model },
      /the model \/m\/model\.onnx was changed while it was read \(SIGBUS\): it has 5,000 bytes instead of 4,000,000/,
      /^Put the model back/,
    ],
    [{ model }, /was changed while it was read: it has 5,000 bytes/, /^Put the model back/],
    [
      { signal: 'SIGBUS', model: { ...model, after: model.before } },
      /was overwritten while it was read \(SIGBUS\)/,
      /^Put the model back/,
    ],
    [{ signal: 'SIGBUS', isDiskFull: true }, /its disk is full \(SIGBUS\)/, /^Free some space/],
    [{ signal: 'SIGBUS' }, /could not be read from its disk \(SIGBUS\)/, /^Check the disks/],
    // The system ends a process for its memory whatever happens to the model.
    [{ signal: 'SIGKILL', model }, /killed \(SIGKILL\), most likely because memory ran out/, /^Free memory/],
    [{ signal: 'SIGSEGV', model }, /the program crashed \(SIGSEGV\)/, /^See its trainer\.log/],
    [{ signal: 'SIGABRT' }, /the program crashed \(SIGABRT\)/, /^See its trainer\.log/],
    [{ signal: 'SIGILL' }, /the program crashed \(SIGILL\)/, /^See its trainer\.log/],
    [{ signal: 'SIGUSR1' }, /ended by another program \(SIGUSR1\)/, /^Resume/],
  ])('is the likely one of %j', (end, reason, hint) => {
    expect(endReason(end)).toMatch(reason);
    expect(endHint(end)).toMatch(hint);
    expect(isExplained(end)).toBe(true);
  });

  it('is left open without a signal and a changed model', () => {
    expect(endReason({})).toBe('it was killed, or its machine was switched off');
    expect(isExplained({})).toBe(false);
  });
});
