import { escapeControls } from '../base/escape';
import { LOG_TIMES_VARIABLE } from '../executors/local/log-times';

/** Set while this program writes a control sequence itself. */
let own = false;

/**
 * From now on, output contains no control characters other than tabs and line breaks, nor marks that reverse text: text
 * from a file, a server or the command line is displayed and cannot control the terminal. In JSON, which has such
 * characters in strings only, their escapes mean the same.
 */
export function filterOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      return write(own ? text : plainOutput(text), ...rest);
    }) as typeof stream.write;
  }
}

/** CSV ends its lines in CRLF. */
const plainOutput = (text: string): string =>
  text
    .split('\r\n')
    .map((line) => escapeControls(line, '\n\t'))
    .join('\r\n');

/** Lets `write` write a control sequence of this program. Text from elsewhere must not be in it. */
export function asControl<T>(write: () => T): T {
  own = true;
  try {
    return write();
  } finally {
    own = false;
  }
}

/** A terminal for readline, which moves the cursor itself while a line is edited. */
export const controlled = (out: NodeJS.WriteStream): NodeJS.WriteStream =>
  new Proxy(out, {
    get(stream, name) {
      if (name === 'write') return (text: string) => asControl(() => stream.write(text));
      const value: unknown = Reflect.get(stream, name, stream);
      return typeof value === 'function' ? value.bind(stream) : value;
    },
  });

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

/** True for a terminal on which lines can be redrawn in place. */
export const isScreen = (out: NodeJS.WriteStream): boolean => out.isTTY && process.env.TERM !== 'dumb';

/** True for a terminal with colors; NO_COLOR, TERM=dumb and a file or pipe have none. */
export const hasColors = (out: NodeJS.WriteStream): boolean => out.isTTY && out.hasColors();

/** A word in red on a terminal with colors. */
export const red = (text: string, out: NodeJS.WriteStream = process.stderr): string =>
  hasColors(out) ? `\x1b[31m${text}\x1b[39m` : text;

/** Resolves once the text is flushed: the next step may block the process for seconds, or end it. */
export const write = (text: string): Promise<void> =>
  new Promise((done) => process.stdout.write(text, () => done()));

/** Begins every line of output with the time, if this process writes a run's log. Its own children write none. */
export function stampLog(): void {
  if (process.env[LOG_TIMES_VARIABLE] === undefined) return;
  delete process.env[LOG_TIMES_VARIABLE];
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (text: string, done?: () => void) => boolean;
    let atStart = true;
    stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      const done = rest.find((arg) => typeof arg === 'function') as (() => void) | undefined;
      const stamped = text.replace(/^(?=[^\n])/gm, (_, at: number) => (at === 0 && !atStart ? '' : stamp()));
      if (text !== '') atStart = text.endsWith('\n');
      return write(stamped, done);
    }) as typeof stream.write;
  }
}

const stamp = (): string => `${new Date().toISOString().replace(/\.\d+/, '')} `;
