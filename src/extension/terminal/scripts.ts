import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { NODE_NAME } from '../../executors/package/package-files';

/** The places where `aurora` in an integrated terminal finds its parts. */
export interface TerminalPlaces {
  /** The Node from the setting, or the editor's own if that is plain Node; tried first and last. */
  settingNode: string;
  editorNode: string | undefined;
  /** The copy that trainers run from; exists after the first training. */
  copy: string;
  dist: string;
}

/** Writes `aurora` and `aurora.cmd` into `bin`. They choose when called, so that they need no copy yet. */
export async function writeTerminalScripts(bin: string, places: TerminalPlaces): Promise<void> {
  await mkdir(bin, { recursive: true });
  writeAtomic(join(bin, 'aurora'), shellScript(places));
  writeAtomic(join(bin, 'aurora.cmd'), batchScript(places));
  await chmod(join(bin, 'aurora'), 0o755);
}

const MISSING = 'AuroRA found no Node executable. Set aurora.nodePath in the settings.';

/** The Nodes in the order in which they are tried, after the setting's, which is always used if set. */
const nodes = ({ copy, dist, editorNode }: TerminalPlaces): string[] => [
  join(copy, 'node', NODE_NAME),
  join(dist, 'node', NODE_NAME),
  ...(editorNode === undefined ? [] : [editorNode]),
];

function shellScript(places: TerminalPlaces): string {
  const { settingNode, copy, dist } = places;
  return `#!/bin/sh
# Written by AuroRA Lab for the integrated terminal.
cli=${quote(join(copy, 'cli.cjs'))}
[ -f "$cli" ] || cli=${quote(join(dist, 'cli.cjs'))}
node=${quote(settingNode)}
for candidate in ${nodes(places).map(quote).join(' ')}; do
  if [ -z "$node" ] && [ -x "$candidate" ]; then node=$candidate; fi
done
if [ -z "$node" ]; then node=$(command -v node); fi
if [ -z "$node" ]; then
  echo ${quote(MISSING)} >&2
  exit 1
fi
exec "$node" "$cli" "$@"
`;
}

function batchScript(places: TerminalPlaces): string {
  const { settingNode, copy, dist } = places;
  const lines = [
    '@echo off',
    'rem Written by AuroRA Lab for the integrated terminal.',
    'setlocal',
    `set "AURORA_CLI=${percent(join(copy, 'cli.cjs'))}"`,
    `if not exist "%AURORA_CLI%" set "AURORA_CLI=${percent(join(dist, 'cli.cjs'))}"`,
    `set "AURORA_NODE=${percent(settingNode)}"`,
    ...nodes(places).map((node) => {
      const path = percent(node);
      return `if not defined AURORA_NODE if exist "${path}" set "AURORA_NODE=${path}"`;
    }),
    'if not defined AURORA_NODE set "AURORA_NODE=node"',
    '"%AURORA_NODE%" "%AURORA_CLI%" %*',
    'exit /b %ERRORLEVEL%',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** Quotes any string as one shell word. */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** In a batch file a percent sign is doubled; a Windows path cannot contain a quotation mark. */
const percent = (text: string): string => text.replaceAll('%', '%%');
