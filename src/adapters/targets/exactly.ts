/** A path as a regular expression for targets and patterns. */
export const exactly = (path: string): string => path.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
