import {
  applyEdits,
  modify,
  parseTree,
  findNodeAtLocation,
  getNodeValue,
  type ParseError,
} from 'jsonc-parser';
import { isDeepStrictEqual } from 'node:util';
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

const FORMAT = { formattingOptions: { insertSpaces: true, tabSize: 2 } };

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
  const node = findNodeAtLocation(root, ['mcpServers', SERVER]);
  const before: unknown = node && getNodeValue(node);
  if (isDeepStrictEqual(before, entry)) return { text, was: 'same' };
  const changed = applyEdits(text, modify(text, ['mcpServers', SERVER], entry, FORMAT));
  return { text: changed, was: node ? 'other' : 'new', ...(node && { before }) };
}
