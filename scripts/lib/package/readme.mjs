import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { Failure } from '../console.mjs';

const TYPES = { '.png': 'image/png', '.jpg': 'image/jpeg', '.gif': 'image/gif' };

/**
 * A Markdown page for the extension's page in VS Code. The repository's pictures are embedded, because the
 * page cannot load them, and links into the repository become plain text.
 */
export function standalone(path) {
  const folder = dirname(path);
  return readFileSync(path, 'utf8')
    .replace(/(!\[[^\]]*\]\()([^)\s]+)(\))/g, (_, before, target, after) =>
      isElsewhere(target) ? before + target + after : before + dataUri(join(folder, target)) + after,
    )
    .replace(/(?<!!)\[((?:[^[\]]|!\[[^\]]*\]\([^)]*\))*)\]\(([^)\s]+)\)/g, (link, words, target) =>
      isElsewhere(target) || target.startsWith('#') ? link : words,
    );
}

const isElsewhere = (target) => /^(https?|data|mailto|command):/.test(target);

function dataUri(path) {
  const type = TYPES[extname(path).toLowerCase()];
  if (!type || !existsSync(path))
    throw new Failure(`The README refers to ${path}, which is missing or not an image.`);
  return `data:${type};base64,${readFileSync(path).toString('base64')}`;
}
