/** True for a terminal on which lines can be redrawn in place. */
export const isScreen = (out: NodeJS.WriteStream): boolean => out.isTTY && process.env.TERM !== 'dumb';

/** A word in red on a terminal with colors; NO_COLOR, TERM=dumb and a file or pipe have none. */
export const red = (text: string, out: NodeJS.WriteStream = process.stderr): string =>
  out.isTTY && out.hasColors() ? `\x1b[31m${text}\x1b[39m` : text;
