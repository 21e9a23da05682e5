import { LOG_TIMES_VARIABLE } from '../executors/local/log-times';

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
