import { COMMON, type Command } from '../../command';

type Option = Command['options'][string];

export interface CompletedCommand {
  name: string;
  summary: string;
  /** In the order of the command's own table, then those of all commands. */
  options: CompletedOption[];
  /** The words that can come first; a file otherwise. */
  words: readonly string[];
}

export interface CompletedOption {
  /** With its dashes. */
  name: string;
  /** True if a value follows. */
  takesValue: boolean;
  /** True if it may be given several times. */
  repeats: boolean;
  /** Its known values; none for a file, a number or other text. */
  values: readonly string[];
  /** The first line about it in the command's help. */
  summary: string;
}

/** The parts of a command that can be completed: its own tables, without those that its help leaves out. */
export function entryOf(
  name: string,
  summary: string,
  { options, values = {}, help }: Command,
): CompletedCommand {
  const own = Object.entries(options).filter(([option]) => new RegExp(`--${option}\\b`).test(help));
  return {
    name,
    summary,
    words: values[''] ?? [],
    options: [...own, ...Object.entries<Option>(COMMON)].map(([option, { type, multiple = false }]) => ({
      name: `--${option}`,
      takesValue: type === 'string',
      repeats: multiple,
      values: values[option] ?? [],
      summary: COMMON_SUMMARIES[option] ?? summaryOf(option, help),
    })),
  };
}

const COMMON_SUMMARIES: Readonly<Record<string, string>> = {
  help: 'all options of this command',
  quiet: 'print results and errors alone',
  verbose: 'show the stack trace of an error',
};

/** The text beside the option, or below a name that is too long for that. */
const summaryOf = (option: string, help: string): string =>
  new RegExp(`^ *--${option}(?: [A-Z]+(?:=[A-Z]+)?)?\\s+(\\S.*)$`, 'm').exec(help)?.[1] ?? '';
