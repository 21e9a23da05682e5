import { parseArgs, type ParseArgsConfig } from 'node:util';
import { AuroraError } from '../base/errors';
import { nearest } from '../base/nearest';

export interface Command {
  /** The whole `--help` text. */
  help: string;
  options: NonNullable<ParseArgsConfig['options']>;
  /**
   * The possible values, for completion: by option, and under '' the words that come first. Anything else is a file.
   */
  values?: Readonly<Record<string, readonly string[]>>;
  /** @returns the exit code */
  run(args: ParsedArgs): Promise<number>;
}

export interface ParsedArgs {
  positionals: string[];
  text(name: string): string | undefined;
  list(name: string): string[];
  flag(name: string): boolean;
}

/** Options every command has. */
export const COMMON = {
  help: { type: 'boolean', short: 'h' },
  quiet: { type: 'boolean', short: 'q' },
  verbose: { type: 'boolean' },
} as const;

export function parse(command: Command, argv: string[], name: string): ParsedArgs {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      options: { ...command.options, ...COMMON },
      allowPositionals: true,
    });
    const value = (key: string) => (values as Record<string, string | boolean | string[] | undefined>)[key];
    return {
      positionals,
      text: (key) => value(key) as string | undefined,
      list: (key) => (value(key) as string[] | undefined) ?? [],
      flag: (key) => value(key) === true,
    };
  } catch (e) {
    throw usageError(e as Error, Object.keys({ ...command.options, ...COMMON }), name);
  }
}

/** Node's message for an unknown option talks about positional arguments. */
function usageError(e: Error, options: string[], name: string): AuroraError {
  const help = `See \`aurora ${name} --help\`.`;
  const unknown = /^Unknown option '--?([^'=\s]*)/.exec(e.message)?.[1];
  if (unknown === undefined) return new AuroraError('usage', `aurora ${name}: ${e.message}`, help);
  const near = nearest(unknown, options);
  return new AuroraError(
    'usage',
    `aurora ${name} has no option --${unknown}.`,
    near ? `Did you mean --${near}?` : help,
  );
}

/** For a command that takes exactly one argument: `what` it takes, and how many it was given. */
export const missingOrMany = (name: string, what: string, given: number): string =>
  given === 0 ? `aurora ${name} needs one ${what}.` : `aurora ${name} takes one ${what}, not ${given}.`;

/** The positional arguments of a command that takes exactly one. */
export function one(args: ParsedArgs, what: string, name: string): string {
  if (args.positionals.length !== 1)
    throw new AuroraError(
      'usage',
      missingOrMany(name, what, args.positionals.length),
      `See \`aurora ${name} --help\`.`,
    );
  return args.positionals[0];
}

/** The value of an option that takes a whole number from 0. */
export function wholeNumber(option: string, given: string): number {
  const n = Number(given);
  if (given.trim() === '' || !Number.isInteger(n) || n < 0)
    throw new AuroraError('usage', `--${option} takes a whole number, not "${given}".`);
  return n;
}

/**
 * Threads of the runtime; 0 means one per core. By default the first number of `OMP_NUM_THREADS`, as in PyTorch: labs and
 * cluster schedulers set it for every program on a shared machine. As in OpenMP, any other value of it counts as unset.
 */
export const threadCount = (
  given: string | undefined,
  environment: Readonly<NodeJS.ProcessEnv> = process.env,
): number =>
  given === undefined
    ? Number(/^\s*(\d+)\s*(,|$)/.exec(environment.OMP_NUM_THREADS ?? '')?.[1] ?? 0)
    : wholeNumber('threads', given);
