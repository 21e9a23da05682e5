/** Resolves once the text is flushed: the next step may block the process for seconds, or end it. */
export const write = (text: string): Promise<void> =>
  new Promise((done) => process.stdout.write(text, () => done()));
