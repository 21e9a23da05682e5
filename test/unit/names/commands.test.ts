import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { parse, type Command } from '../../../src/cli/command';
import { budgetCommand } from '../../../src/cli/commands/budget/budget';
import { compareCommand } from '../../../src/cli/commands/compare';
import { errorsCommand } from '../../../src/cli/commands/errors';
import { exportCommand } from '../../../src/cli/commands/export';
import { gpuCommand } from '../../../src/cli/commands/gpu';
import { importCommand } from '../../../src/cli/commands/import';
import { inspect } from '../../../src/cli/commands/inspect';
import { preflightCommand } from '../../../src/cli/commands/preflight';
import { reference } from '../../../src/cli/commands/reference/reference';
import { reproduceCommand } from '../../../src/cli/commands/reproduce/reproduce';
import { studyCommand } from '../../../src/cli/commands/study';
import { sweepCommand } from '../../../src/cli/commands/sweep/sweep';
import { train } from '../../../src/cli/commands/train/train';
import { verifyCommand } from '../../../src/cli/commands/verify';
import { eachHandled, HOSTILE, name } from './names';

const COMMANDS: Record<string, Command> = {
  train,
  sweep: sweepCommand,
  compare: compareCommand,
  preflight: preflightCommand,
  inspect,
  budget: budgetCommand,
  export: exportCommand,
  import: importCommand,
  study: studyCommand,
  reproduce: reproduceCommand,
  errors: errorsCommand,
  gpu: gpuCommand,
  verify: verifyCommand,
  reference,
};

const folder = mkdtempSync(join(tmpdir(), 'aurora-names-'));
const before = process.cwd();
beforeAll(() => {
  process.chdir(folder);
  // Thousands of usage errors would be printed, and the writer would wait for them.
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((...written: unknown[]) => {
      const done = written.findLast((w) => typeof w === 'function') as (() => void) | undefined;
      done?.();
      return true;
    });
});
afterAll(() => {
  vi.restoreAllMocks();
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Commands that wait for a line on standard input. `aurora play` always waits, so runs.test.ts covers its
 * requests.
 */
const WAITS = ['when-told'];

/** Arguments for a command: its own options and others, with names of inherited members as values. */
function argumentsOf({ options }: Command): fc.Arbitrary<string[]> {
  const option = fc
    .tuple(fc.constantFrom(...Object.keys(options).filter((key) => !WAITS.includes(key)), ...HOSTILE), name)
    .map(([key, value]) => {
      const { type } = (Object.hasOwn(options, key) ? options[key] : undefined) ?? {};
      return type === 'boolean' ? [`--${key}`] : [`--${key}=${value}${key === 'set' ? '.a=1' : ''}`];
    });
  return fc
    .tuple(fc.array(name, { maxLength: 2 }), fc.array(option, { maxLength: 3 }))
    .map(([files, given]) => [...files, ...given.flat()]);
}

describe('names of inherited members on the command line', () => {
  it.each(Object.keys(COMMANDS))('are handled as files, options and values of aurora %s', (command) =>
    eachHandled(
      command,
      argumentsOf(COMMANDS[command]),
      (args) => COMMANDS[command].run(parse(COMMANDS[command], args, command)),
      60,
    ),
  );
});
