import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import { Failure } from '../console.mjs';

const TYPES = { '.png': 'image/png', '.jpg': 'image/jpeg', '.gif': 'image/gif' };

/**
 * A Markdown page for the extension's page in VS Code and on the marketplace, which have no repository around them.
 * @param {string} path of the page
 * @param {{ images: string, links: string }} [pages] of the public repository (repositoryPages). Without one, pictures are
 * embedded and links into the repository become plain text.
 */
export function standalone(path, pages) {
  const folder = dirname(path);
  const picture = (target) => {
    requirePicture(join(folder, target));
    return pages ? `${pages.images}/${posix.normalize(target)}` : dataUri(join(folder, target));
  };
  const link = (whole, words, target) => {
    if (isElsewhere(target) || target.startsWith('#')) return whole;
    return pages ? `[${words}](${pages.links}/${posix.normalize(target)})` : words;
  };
  return readFileSync(path, 'utf8')
    .replace(/(!\[[^\]]*\]\()([^)\s]+)(\))/g, (_, before, target, after) =>
      isElsewhere(target) ? before + target + after : before + picture(target) + after,
    )
    .replace(/(?<!!)\[((?:[^[\]]|!\[[^\]]*\]\([^)]*\))*)\]\(([^)\s]+)\)/g, link);
}

const isElsewhere = (target) => /^(https?|data|mailto|command):/.test(target);

function requirePicture(path) {
  if (!TYPES[extname(path).toLowerCase()] || !existsSync(path))
    throw new Failure(`The README refers to ${path}, which is missing or not an image.`);
}

const dataUri = (path) =>
  `data:${TYPES[extname(path).toLowerCase()]};base64,${readFileSync(path).toString('base64')}`;
