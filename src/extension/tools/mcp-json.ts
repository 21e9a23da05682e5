import { isDeepStrictEqual } from 'node:util';
import { findNodeAtLocation, getNodeValue, type Node, type ParseError, parseTree } from 'jsonc-parser';
import { AuroraError } from '../../base/errors';

/** A server in the file .mcp.json of a project, which agents outside the editor read. */
export interface McpEntry {
  command: string;
  args: string[];
  env?: Record<string, string>;
}

/** The name of the lab's entry. */
export const SERVER = 'aurora';

export interface Merged {
  /** The file's new text. */
  text: string;
  /** `new`: there was no entry; `other`: there was a different one, in `before`; `same`: nothing changes. */
  was: 'new' | 'same' | 'other';
  before?: unknown;
}

/**
 * Adds the lab to the text of an .mcp.json, in which everything else stays as it is written.
 *
 * @param text undefined if there is no file
 * @throws AuroraError 'usage' if it is not a file of servers
 */
export function withServer(file: string, text: string | undefined, entry: McpEntry): Merged {
  if (text === undefined || text.trim() === '')
    return { text: `${JSON.stringify({ mcpServers: { [SERVER]: entry } }, null, 2)}\n`, was: 'new' };
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const servers = root && findNodeAtLocation(root, ['mcpServers']);
  if (errors.length > 0 || root?.type !== 'object' || (servers && servers.type !== 'object'))
    throw new AuroraError(
      'usage',
      errors.length > 0
        ? `${file} is not valid JSON (line ${text.slice(0, errors[0]!.offset).split('\n').length}), so it is not changed.`
        : `${file} has no object of servers in "mcpServers", so it is not changed.`,
      'Correct the file, then run the command again.',
    );
  const node = servers && findNodeAtLocation(servers, [SERVER]);
  // The objects of jsonc-parser have no prototype, in which they would differ.
  const before = node && (structuredClone(getNodeValue(node)) as unknown);
  if (isDeepStrictEqual(before, entry)) return { text, was: 'same' };
  if (node) {
    const written = indented(entry, indentAt(text, node.parent!.offset));
    const changed = text.slice(0, node.offset) + written + text.slice(node.offset + node.length);
    return { text: changed, was: 'other', before };
  }
  const changed = servers
    ? withProperty(text, servers, SERVER, entry)
    : withProperty(text, root, 'mcpServers', { [SERVER]: entry });
  return { text: changed, was: 'new' };
}

/** An object's text with a property at its end. jsonc-parser's `modify` would format its neighbors, too. */
function withProperty(text: string, object: Node, key: string, value: unknown): string {
  const last = object.children?.at(-1);
  const own = indentAt(text, object.offset);
  const indent =
    last && text.slice(object.offset, last.offset).includes('\n') ? indentAt(text, last.offset) : `${own}  `;
  const property = `${JSON.stringify(key)}: ${indented(value, indent)}`;
  // A comma that was at the end stays there.
  if (last) return insert(text, last.offset + last.length, `,\n${indent}${property}`);
  const end = object.offset + object.length - 1;
  return insert(text, end, `\n${indent}${property}\n${own}`);
}

const insert = (text: string, at: number, part: string): string => text.slice(0, at) + part + text.slice(at);

const indented = (value: unknown, indent: string): string =>
  JSON.stringify(value, null, 2).replaceAll('\n', `\n${indent}`);

/** The white space at the beginning of a line. */
const indentAt = (text: string, offset: number): string =>
  /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', offset - 1) + 1))![0];
