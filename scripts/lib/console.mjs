/** What a script cannot go on without: printed without a stack trace. */
export class Failure extends Error {
  /**
   * @param {string} message what is wrong, and where
   * @param {string} [hint] the one next step
   */
  constructor(message, hint) {
    super(hint ? `${message}\n${hint}` : message);
  }
}

/** One short line a phase. */
export const say = (text) => console.log(`• ${text}`);

/** Runs a script's body; its number, if any, becomes the exit code. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (e) {
    console.error(e instanceof Failure ? `\n${e.message}` : e);
    process.exitCode = 1;
  }
}
