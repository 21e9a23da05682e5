let silenced = false;

/** True if only results and errors are wanted (`--quiet`). */
export const isQuiet = (): boolean => silenced;

/** Drops progress, notes and warnings, all of which go to standard error. The error that ends the program is not one. */
export function beQuiet(): void {
  silenced = true;
  const { write } = process.stderr;
  process.stderr.write = () => true;
  sayLoudly = (text) => void write.call(process.stderr, text);
}

let sayLoudly = (text: string): void => void process.stderr.write(text);

/** The next steps, below a result; nothing with `--quiet`. */
export const hints = (...lines: readonly string[]): readonly string[] => (silenced ? [] : lines);

/** Writes an error, also with `--quiet`. */
export const sayError = (text: string): void => sayLoudly(text);
