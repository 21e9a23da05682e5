/** Whether lines can be redrawn in place: on a terminal that knows how to. */
export const isScreen = (out: NodeJS.WriteStream): boolean => out.isTTY && process.env.TERM !== 'dumb';
