import { parseArgs, type ParseArgsConfig } from 'node:util';
import { AuroraError } from '../shared/errors';

export interface Command {
  /** One line for the list of commands. */
  summary: string;
  /** The whole `--help` text. */
  help: string;
  options: NonNullable<ParseArgsConfig['options']>;
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
const COMMON = { help: { type: 'boolean', short: 'h' }, verbose: { type: 'boolean' } } as const;

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
    throw new AuroraError(
      'usage',
      `aurora ${name}: ${(e as Error).message}`,
      `See \`aurora ${name} --help\`.`,
    );
  }
}

/** The positional arguments of a command that takes exactly one. */
export function one(args: ParsedArgs, what: string, name: string): string {
  if (args.positionals.length !== 1)
    throw new AuroraError(
      'usage',
      `aurora ${name} takes one ${what}, and got ${args.positionals.length}.`,
      `See \`aurora ${name} --help\`.`,
    );
  return args.positionals[0];
}
