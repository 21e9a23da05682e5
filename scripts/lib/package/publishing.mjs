import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryPages } from './repository.mjs';

/** The size of the icon on the marketplace, in pixels. */
const ICON = 128;
const MOST_KEYWORDS = 30;

/** True if a version belongs to the pre-release channel: VS Code's convention is an odd minor version. */
export const isPreRelease = (version) => Number(version.split('.')[1]) % 2 === 1;

/**
 * The missing parts before the package can be published, one sentence each.
 * @param {string} root the repository's folder
 * @param {Record<string, any>} manifest its package.json
 * @param {boolean} preRelease true if the package is made for the pre-release channel
 * @returns {string[]}
 */
export function missingForPublishing(root, manifest, preRelease) {
  const {
    publisher,
    repository,
    bugs,
    icon,
    galleryBanner,
    categories = [],
    keywords = [],
    version,
  } = manifest;
  const text = (name) => (existsSync(join(root, name)) ? readFileSync(join(root, name), 'utf8') : undefined);
  const url = typeof repository === 'string' ? repository : repository?.url;
  const missing = [
    publisher
      ? `publisher: "${publisher}" must be yours on the marketplace (\`npx vsce login ${publisher}\`).`
      : 'publisher: package.json names none.',
    !url && 'repository: package.json has no URL. The pictures and links of the README are made from it.',
    url &&
      !repositoryPages(manifest) &&
      `repository: the host of ${url} is unknown (scripts/lib/package/repository.mjs).`,
    !(typeof bugs === 'string' ? bugs : bugs?.url) &&
      'bugs: package.json has no URL where users report problems.',
    iconProblem(root, icon),
    !galleryBanner?.color && 'galleryBanner: package.json has no color.',
    categories.length === 0 && 'categories: package.json has none.',
    keywords.length === 0 && 'keywords: package.json has none.',
    keywords.length > MOST_KEYWORDS && `keywords: the marketplace takes at most ${MOST_KEYWORDS}.`,
    !manifest.license && 'license: package.json names none.',
    !text('LICENSE') && 'LICENSE is missing.',
    !text('CHANGELOG.md')?.includes(`## [${version}]`) && `CHANGELOG.md has no section for ${version}.`,
    isPreRelease(version) &&
      !preRelease &&
      `version: ${version} is a pre-release, because its minor version is odd. Package it with --pre-release, or release an even one.`,
  ];
  return missing.filter((sentence) => typeof sentence === 'string' && sentence !== '');
}

function iconProblem(root, icon) {
  const path = icon && join(root, icon);
  if (!path || !existsSync(path)) return 'icon: package.json names no existing PNG.';
  const bytes = readFileSync(path);
  if (bytes.subarray(1, 4).toString('latin1') !== 'PNG') return `icon: ${icon} is not a PNG.`;
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (width === height && width >= ICON) return undefined;
  return `icon: ${icon} has ${width} × ${height} pixels; a square of at least ${ICON} is needed.`;
}
