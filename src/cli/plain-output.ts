import { escapeControls } from '../base/escape';

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
