import type { Budget } from './render-budget';
import type { Arguments, Value } from './jinja-values';

/** The tools of the rendering that its filters need. */
export interface Tools {
  budget: Budget;
  /** A path such as "function.name" or an index. */
  attribute(object: Value, path: Value): Value;
  filter(name: string, value: Value, args: Arguments): Value;
  test(name: string, value: Value, args: Arguments): boolean;
}

export type Filter = (value: Value, args: Arguments, tools: Tools) => Value;
