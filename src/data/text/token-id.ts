/** Ids go into int32 tensors too. */
const BEYOND = 2 ** 31;

/** True if a value from a tokenizer's files can be the id of a token, or of a segment. */
export const isTokenId = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < BEYOND;
