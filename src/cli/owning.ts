import { createInterface } from 'node:readline';
import { AuroraError } from '../base/errors';
import type { OwnerRecord } from '../files/fence';
import { claim, ownerText } from '../files/owner';
import { ownerByStatus, readStatus } from '../runs/status';
import { isQuiet } from './output';

export const TAKE_OVER_OPTION = { 'take-over': { type: 'boolean' } } as const;
export const TAKE_OVER_HELP = `  --take-over        take over from a process on another machine; only if you know that it has ended
`;

export interface Owned {
  folder: string;
  what: 'run' | 'sweep' | 'claim';
  /** The user has confirmed in advance that an owner on another machine has ended. */
  takeOver: boolean;
  /** Decides, without asking the user, if an owner on another machine has ended. */
  hasEnded?: () => Promise<boolean>;
}

/** True if the user has confirmed that this owner has ended. */
export type TakenOver = (owner: OwnerRecord) => boolean;

/**
 * Runs an action as the only process that writes to the folder of a run or a sweep.
 *
 * @throws AuroraError 'run' if another process on this machine owns the folder, 'owned' if a process on another machine
 *   may still own it and the user does not confirm that it has ended
 */
export async function owning<T>(
  { folder, what, takeOver, hasEnded }: Owned,
  action: (takenOver: TakenOver) => Promise<T>,
): Promise<T> {
  let confirmed: OwnerRecord | undefined;
  const got = await claim(folder, {
    earlier: ownerByStatus(folder),
    takeOver: async (owner) => {
      if (takeOver) return true;
      if (hasEnded) return hasEnded();
      if ((await askAtTerminal(question(folder, what, owner))) !== true) return false;
      confirmed = owner;
      return true;
    },
  });
  if (!('owner' in got)) throw refused(folder, what, got.heldBy, got.as);
  try {
    // The user's answer covers only the machine that the question named.
    return await action(({ host }) => takeOver || host === confirmed?.host);
  } finally {
    got.owner.release();
  }
}

const question = (folder: string, what: Owned['what'], owner: OwnerRecord): string =>
  `${folder} is owned by ${ownerText(owner)}, and this machine cannot tell whether it is still running.
${
  what === 'sweep'
    ? 'Have that process and the trainers of its trials ended, so that this one can take over?'
    : 'Has that process ended, so that this one can take over?'
}`;

function refused(
  folder: string,
  what: Owned['what'],
  owner: OwnerRecord,
  as: 'alive' | 'unseen',
): AuroraError {
  if (as === 'unseen')
    return new AuroraError(
      'owned',
      `${folder} is owned by ${ownerText(owner)}, and this machine cannot tell whether it is still running.`,
      'Make sure that it has ended, then repeat the command with --take-over.',
    );
  if (what === 'sweep')
    return new AuroraError(
      'run',
      `The sweep ${folder} is being run by ${ownerText(owner)}.`,
      'Stop it first, with Ctrl-C or Stop Sweep: two queues must not start the same trials.',
    );
  if (what === 'claim')
    return new AuroraError(
      'run',
      `The claim ${folder} is being tested by ${ownerText(owner)}.`,
      'Stop it first, with Ctrl-C: two processes must not test the same claim.',
    );
  const { step = 0, steps = 0 } = readStatus(folder) ?? {};
  return new AuroraError(
    'run',
    `${folder} is still being trained by ${ownerText(owner)} (step ${step} of ${steps}).`,
    'Stop that process first: two trainers must not write to the same run.',
  );
}

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
