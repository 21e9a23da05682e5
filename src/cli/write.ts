/** Resolves when the text has left the process: what follows may block it for seconds, or end it. */
export const write = (text: string): Promise<void> =>
  new Promise((done) => process.stdout.write(text, () => done()));
