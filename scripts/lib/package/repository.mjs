/** The addresses at which hosts keep a file as it is, and a page about it, below a repository. */
const HOSTS = {
  'github.com': { images: 'raw/HEAD', links: 'blob/HEAD' },
  'gitlab.com': { images: '-/raw/HEAD', links: '-/blob/HEAD' },
  'codeberg.org': { images: 'raw/branch/HEAD', links: 'src/branch/HEAD' },
};

/**
 * The addresses for pictures and links of the README on the marketplace's page.
 * @param {{ repository?: string | { url?: string } }} manifest package.json
 * @returns {{ images: string, links: string } | undefined} without a slash at the end; undefined without a repository, or
 * on an unknown host
 */
export function repositoryPages({ repository }) {
  const given = typeof repository === 'string' ? repository : repository?.url;
  const match = /^(?:git\+)?https:\/\/([^/]+)\/([^#?]+?)(?:\.git)?\/?$/.exec(given ?? '');
  const host = match && HOSTS[match[1]];
  if (!host) return undefined;
  const base = `https://${match[1]}/${match[2]}`;
  return { images: `${base}/${host.images}`, links: `${base}/${host.links}` };
}
