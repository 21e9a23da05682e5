import { createInterface } from 'node:readline';
import { isQuiet } from './quiet';

/** The next line of standard input; undefined at its end. */
export async function nextLine(): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin });
  const line = await new Promise<string | undefined>((resolve) => {
    lines.once('line', resolve);
    lines.once('close', () => resolve(undefined));
  });
  lines.close();
  // A pipe that stays open on the other side would keep the process alive.
  if ('unref' in process.stdin) process.stdin.unref();
  return line;
}

/** Asks a yes-or-no question in the terminal. Undefined without a terminal. */
export async function askAtTerminal(question: string): Promise<boolean | undefined> {
  if (isQuiet() || !process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  process.stderr.write(`${question} [y/N] `);
  return /^y(es)?$/i.test((await nextLine())?.trim() ?? '');
}

/** The iterator for all questions: a line that is typed ahead belongs to the next one. */
let typed: AsyncIterator<string> | undefined;

/** Asks for a string in the terminal: '' for Enter alone, undefined without a terminal or at the end of its input. */
export async function textAtTerminal(question: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  if (isQuiet() || !stdin.isTTY || !stderr.isTTY) return undefined;
  typed ??= createInterface({ input: stdin })[Symbol.asyncIterator]();
  stderr.write(`${question} `);
  // Waiting for an answer keeps the process alive, and only that.
  stdin.ref();
  const line = await typed.next();
  stdin.unref();
  return line.done ? undefined : line.value.trim();
}
