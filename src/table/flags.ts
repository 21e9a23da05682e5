const FLAGS = new Map<string, boolean>([
  ['0', false],
  ['1', true],
  ['false', false],
  ['true', true],
]);

/** True or false as a column for one label alone has it; undefined for anything but 0, 1, false and true. */
export const flagOf = (value: unknown): boolean | undefined => FLAGS.get(String(value).trim().toLowerCase());
