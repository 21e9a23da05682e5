/** A path as the regular expression that targets and patterns are. */
export const exactly = (path: string): string => path.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
