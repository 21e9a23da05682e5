/** Tokens of an answer for each mask. */
export const LIKELIEST = 5;

/** A token in the place of a mask. */
export interface PlayToken {
  token: string;
  probability: number;
}

/** A model's answer to one text with masks: the likeliest tokens for each, in the order of the text. */
export interface LiveTokens {
  masks: PlayToken[][];
}
