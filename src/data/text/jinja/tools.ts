import type { Budget } from './budget';
import type { Arguments, Value } from './values';

/** What filters need of the rendering that they are part of. */
export interface Tools {
  budget: Budget;
  /** A path such as "function.name" or an index. */
  attribute(object: Value, path: Value): Value;
  filter(name: string, value: Value, args: Arguments): Value;
  test(name: string, value: Value, args: Arguments): boolean;
}

export type Filter = (value: Value, args: Arguments, tools: Tools) => Value;
