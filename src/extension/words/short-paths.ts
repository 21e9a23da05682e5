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
