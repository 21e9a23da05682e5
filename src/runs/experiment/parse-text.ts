import { createScanner, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';

/** More levels than any experiment has, and few enough for everything that walks through them by recursion. */
export const DEEPEST = 64;

/** Why a text cannot be read, and where, in characters from its beginning. */
export interface TextError {
  message: string;
  offset: number;
  /** Not JSON; or JSON's syntax is not what is wrong: there is nothing in it, or too many levels. */
  kind: 'syntax' | 'content';
}

/**
 * The tree of a JSON text with comments and trailing commas; where it has mistakes, what can be made out of it.
 * None of a text that is nested too deeply: jsonc-parser would overflow the stack.
 */
export function parseText(text: string): { root: Node | undefined; errors: TextError[] } {
  const deep = tooDeep(text);
  if (deep !== undefined)
    return {
      root: undefined,
      errors: [
        {
          message: `objects and lists are nested more than ${DEEPEST} levels deep`,
          offset: deep,
          kind: 'content',
        },
      ],
    };
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
  if (!root && errors.length === 0)
    return { root, errors: [{ message: 'the file is empty', offset: 0, kind: 'content' }] };
  return {
    root,
    errors: errors.map(({ error, offset }) => ({
      message: `this is not valid JSON: ${words(error)}`,
      offset,
      kind: 'syntax',
    })),
  };
}

const words = (code: ParseError['error']): string =>
  printParseErrorCode(code)
    .replace(/\B[A-Z]/g, (c) => ` ${c.toLowerCase()}`)
    .toLowerCase();

/** jsonc-parser's numbers for tokens, by what ends them; its enum is ambient and has no values at run time. */
const CLOSES = new Map([
  [1, 2],
  [3, 4],
]);
const END = 17;

/** Where a JSON text first has more than `DEEPEST` objects and lists around it; undefined where it never does. */
export function tooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true);
  const open: number[] = [];
  for (let token = scanner.scan() as number; token !== END; token = scanner.scan() as number) {
    const close = CLOSES.get(token);
    if (close !== undefined) open.push(close);
    // A bracket that closes something else is passed over by the parser, too.
    else if (token === open.at(-1)) open.pop();
    if (open.length > DEEPEST) return scanner.getTokenOffset();
  }
  return undefined;
}
