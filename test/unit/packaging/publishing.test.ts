import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isPreRelease, missingForPublishing } from '../../../scripts/lib/package/publishing.mjs';
import { standalone } from '../../../scripts/lib/package/readme.mjs';
import { repositoryPages } from '../../../scripts/lib/package/repository.mjs';
import manifest from '../../../package.json';
import { temporaryFolders } from '../runs/folder';

const ROOT = join(import.meta.dirname, '../../..');
const folder = temporaryFolders();
const repository = { url: 'git+https://github.com/someone/something.git' };

describe('what is missing for publishing', () => {
  it('is at most what nobody but the publisher can supply', () => {
    const names = missingForPublishing(ROOT, manifest, true).map((sentence) => sentence.split(/[: ]/)[0]);
    expect(['publisher', 'repository', 'bugs', 'CHANGELOG.md']).toEqual(expect.arrayContaining(names));
  });

  it('names each thing', () => {
    const bare = {
      version: '0.3.0',
      icon: 'icon.png',
      keywords: Array(31).fill('x'),
      repository: 'https://my.host/x',
    };
    const at = folder();
    writeFileSync(join(at, 'icon.png'), Buffer.concat([Buffer.from('\x89PNG', 'latin1'), Buffer.alloc(12), Buffer.from([0, 0, 0, 64, 0, 0, 0, 64])])); // prettier-ignore
    expect(missingForPublishing(at, bare, false)).toEqual([
      'publisher: package.json names none.',
      'repository: the host of https://my.host/x is unknown (scripts/lib/package/repository.mjs).',
      'bugs: package.json has no URL where users report problems.',
      'icon: icon.png has 64 × 64 pixels; a square of at least 128 is needed.',
      'galleryBanner: package.json has no color.',
      'categories: package.json has none.',
      'keywords: the marketplace takes at most 30.',
      'license: package.json names none.',
      'LICENSE is missing.',
      'CHANGELOG.md has no section for 0.3.0.',
      'version: 0.3.0 is a pre-release, because its minor version is odd. Package it with --pre-release, or release an even one.',
    ]);
  });

  it('knows the pre-release channel by the odd minor version', () =>
    expect(['0.1.0', '1.2.9', '2.11.0'].map(isPreRelease)).toEqual([true, false, true]));
});

describe('the README of a package', () => {
  const page = (pages?: ReturnType<typeof repositoryPages>) => {
    const at = folder();
    mkdirSync(join(at, 'docs'));
    writeFileSync(join(at, 'docs/a.png'), 'x');
    writeFileSync(join(at, 'README.md'), '![A](docs/a.png) [B](docs/b.md#c) [C](https://c.org) [D](#d) [![E](./docs/a.png)](docs/e.md)'); // prettier-ignore
    return standalone(join(at, 'README.md'), pages);
  };

  it('has absolute addresses in the public repository', () => {
    const base = 'https://github.com/someone/something';
    expect(repositoryPages({ repository })).toEqual({
      images: `${base}/raw/HEAD`,
      links: `${base}/blob/HEAD`,
    });
    expect(page(repositoryPages({ repository }))).toBe(
      `![A](${base}/raw/HEAD/docs/a.png) [B](${base}/blob/HEAD/docs/b.md#c) [C](https://c.org) [D](#d) [![E](${base}/raw/HEAD/docs/a.png)](${base}/blob/HEAD/docs/e.md)`,
    );
  });

  it('without a repository, has its pictures inside and no links into it', () => {
    expect(repositoryPages({})).toBeUndefined();
    expect(page()).toBe(
      '![A](data:image/png;base64,eA==) B [C](https://c.org) [D](#d) ![E](data:image/png;base64,eA==)',
    );
  });
});
