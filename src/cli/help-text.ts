import type { AuroraError } from '../base/errors';
import { wrap } from '../base/wrap';
import { DISK_HINTS } from '../files/atomic';
import type { Command } from './command';

/** A line of prose at least this long continues on the next one. */
const WRAPPED = 60;
/** A description gets its own line if the terminal leaves less than this beside the name. */
const NARROWEST = 24;
/** A name, two or more spaces, and its meaning. */
const ENTRY = /^( {2,}\S+(?: \S+)* {2,})(\S.*)$/;
/** The indentation of a description that does not fit beside its name. */
const BELOW = ' '.repeat(6);

/** The width of a help text as it is written. */
const WRITTEN = 120;

/**
 * The description of an option, such as a long list of names, as it is written in a help text.
 *
 * @param column in which the command describes its options
 */
export const optionText = (text: string, column = 21): string =>
  wrap(text, WRITTEN - column).join(`\n${' '.repeat(column)}`);

/** A help text for this stream: in a terminal as wide as that is, otherwise as it was written. */
export const helpText = (help: string, { isTTY, columns }: NodeJS.WriteStream): string =>
  isTTY && columns > 0 ? fitted(help, columns) : help;

/**
 * Wraps the paragraphs of a help text and the descriptions of its options to this width. Other indented lines, such as
 * examples, stay as they are.
 */
export function fitted(help: string, width: number): string {
  const lines = help.split('\n');
  const out: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const entry = ENTRY.exec(lines[i]);
    const [, name = '', first = lines[i]] = entry ?? [];
    const indent = name.length;
    const isProse = indent > 0 || /^[^\s{}]/.test(first);
    const words = [first];
    while (isProse && (indent > 0 ? isBelow(lines[i + 1], indent) : isMore(lines[i], lines[i + 1])))
      words.push(lines[++i].trim());
    if (!isProse) out.push(first);
    else if (indent > 0 && width - indent < NARROWEST)
      out.push(name.trimEnd(), ...wrap(words.join(' '), width - BELOW.length).map((line) => BELOW + line));
    else
      out.push(
        ...wrap(words.join(' '), width - indent).map(
          (line, at) => (at === 0 ? name : ' '.repeat(indent)) + line,
        ),
      );
  }
  return out.join('\n');
}

/** True for a line that continues a description in this column. */
const isBelow = (line: string | undefined, indent: number): boolean =>
  line !== undefined && line.search(/\S/) === indent;

/** True for a line that continues the paragraph of the one before it. */
const isMore = (line: string, next: string | undefined): boolean =>
  line.length >= WRAPPED && next !== undefined && /^\S/.test(next);

/** An error's hint. Hints for disk errors name `--resume` or `--out` only if the command has that option. */
export function diskHint(command: Pick<Command, 'options'> | undefined, e: AuroraError): string | undefined {
  const has = (option: string) => command !== undefined && Object.hasOwn(command.options, option);
  if (e.hint === DISK_HINTS.full && has('resume'))
    return 'Free some space, then continue with --resume; nothing already saved was changed.';
  if (e.hint === DISK_HINTS.elsewhere && has('out'))
    return 'Choose another folder with --out, or make this one writable.';
  return e.hint;
}
