/** An error that stops a script: printed without a stack trace. */
export class Failure extends Error {
  /**
   * @param {string} message what is wrong, and where
   * @param {string} [hint] the next step
   */
  constructor(message, hint) {
    super(hint ? `${message}\n${hint}` : message);
  }
}

/** Prints a short line for each phase. */
export const say = (text) => console.log(`• ${text}`);

/** Runs a script's body; a returned number becomes the exit code. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (e) {
    console.error(e instanceof Failure ? `\n${e.message}` : e);
    process.exitCode = 1;
  }
}
