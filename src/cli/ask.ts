import { createInterface } from 'node:readline';

/** The next line of the standard input; undefined at its end. */
export function nextLine(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin });
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => resolve(undefined));
  });
}

/** A question to a person at a terminal. Elsewhere nobody would answer it: undefined. */
export async function askAtTerminal(question: string): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  process.stderr.write(`${question} [y/N] `);
  return /^y(es)?$/i.test((await nextLine())?.trim() ?? '');
}
