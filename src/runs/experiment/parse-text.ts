import { createScanner, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';

/** More levels than any experiment needs, and few enough for recursive code. */
export const DEEPEST = 64;

/** The reason why JSON cannot be read, and the place, in characters from its beginning. */
export interface TextError {
  message: string;
  offset: number;
  /** `syntax`: not valid JSON. `content`: empty, or nested too deeply. */
  kind: 'syntax' | 'content';
}

/**
 * The tree of JSON with comments and trailing commas, as far as it can be parsed. It has none if it is nested too
 * deeply: jsonc-parser would overflow the stack.
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

/** jsonc-parser's token numbers, opening to closing bracket. Its enum is ambient and has no values at run time. */
const CLOSES = new Map([
  [1, 2],
  [3, 4],
]);
const END = 17;

/** The offset at which JSON is first nested more than `DEEPEST` levels deep; undefined if it never is. */
export function tooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true);
  const open: number[] = [];
  for (let token = scanner.scan() as number; token !== END; token = scanner.scan() as number) {
    const close = CLOSES.get(token);
    if (close !== undefined) open.push(close);
    // The parser also ignores a bracket that closes something else.
    else if (token === open.at(-1)) open.pop();
    if (open.length > DEEPEST) return scanner.getTokenOffset();
  }
  return undefined;
}
