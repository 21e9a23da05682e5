import { homedir, tmpdir } from 'node:os';
import type { AuroraError } from '../../base/errors';

/** Anything thrown, in one string for a page: the reason, then the next step, files without their paths. */
export function errorText(e: unknown): string {
  const { message = String(e), hint } = (e ?? {}) as Partial<AuroraError>;
  return shortPaths(hint ? `${message} ${editorHint(hint)}` : message, [homedir(), tmpdir()]);
}

/** Next steps in a terminal, and the commands for them in the editor. The programs write for both. */
const STEPS: readonly (readonly [RegExp, string])[] = [
  [/Run `aurora inspect MODEL` for (all|its) module paths/, 'The Models view lists $1 module paths'],
  [/; `aurora inspect` lists (?:its contents|what is in it)/, '; the Models view lists its contents'],
  [/ ?`aurora inspect` lists every such operator\./, ''],
  [/(?:start it again|resume it) with `aurora train --resume[^`]*`/i, 'use Resume'],
  [/resume it with `aurora train --resume`/i, 'use Resume'],
  [/add --accept-changed-inputs/, 'use Resume'],
  [/export (it|this one) with `aurora export[^`]*`/i, 'use Export'],
  [/import the adapter as a run with `aurora import`/i, 'use Import Adapter'],
  [/,? or `aurora gpu install[^`]*` in a terminal/, ''],
  [/; in a terminal, by `aurora errors --again`/, ''],
  [/--device cpu, or the setting aurora\.device/, 'the setting aurora.device'],
  [/: --device cpu\b/, ': the setting aurora.device'],
  [/,? or use --at last/, ''],
  [/ with --(?:at|set|out)\b/, ''],
  [/ \(--out\)/, ''],
  [/, then set HF_TOKEN to a token of your account, or sign in in the editor/, ', then sign in'],
  [/set HF_TOKEN, or sign in in the editor/, 'sign in'],
  [
    /"http\.proxy" in VS Code, or (?:HTTP_PROXY and )?HTTPS_PROXY in a terminal,?/,
    '"http.proxy" in the settings',
  ],
  [/`aurora tokens` shows/, 'Show Tokens shows'],
  [/ with --requantize/, ' with new quantization'],
  [/ with --as /, ' as '],
  [/--as /, 'as '],
];

/** A hint in the words of the editor. */
export const editorHint = (hint: string): string =>
  STEPS.reduce((text, [terminal, editor]) => text.replace(terminal, editor), hint).trim();

/** The end of a path in a message. */
const END = String.raw`[^\s"'\`:;,()<>|]*`;

/**
 * A message with a file's name in place of its whole path, which would push the reason out of sight. Only paths below a
 * given folder: names of a model's nodes look like paths too.
 *
 * @param folders absolute paths
 * @param bases those of them below which the path from there is shown: the images of a data set share names
 */
export function shortPaths(
  message: string,
  folders: readonly string[],
  bases: readonly string[] = [],
): string {
  const roots = [...new Set(folders)].filter((f) => f.length > 2).sort((a, b) => b.length - a.length);
  return roots.reduce(
    (text, root) =>
      text.replace(new RegExp(`(?<![\\w/\\\\.])${literal(root)}([\\\\/]${END})?(?![\\w-])`, 'g'), (path) =>
        bases.includes(root) && path.length > root.length
          ? path.slice(root.length + 1).replaceAll('\\', '/')
          : nameOf(path),
      ),
    message,
  );
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** The last part of a path; punctuation after it is part of the sentence. */
function nameOf(path: string): string {
  const [, whole, after] = /^(.*?)([.\\/]*)$/.exec(path)!;
  return whole!.split(/[\\/]/).at(-1)! + after!.replace(/[\\/]/g, '');
}
