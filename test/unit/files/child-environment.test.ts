import { expect, it } from 'vitest';
import { largePages } from '../../../src/files/child-environment';

it.each([
  [{}, 'linux', { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' }],
  [
    { GLIBC_TUNABLES: 'glibc.malloc.check=1' },
    'linux',
    { GLIBC_TUNABLES: 'glibc.malloc.check=1:glibc.malloc.hugetlb=1' },
  ],
  [{ GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' }, 'linux', {}],
  [{}, 'darwin', {}],
  [{}, 'win32', {}],
] as const)('an environment with %j gets large pages on %s: %j', (env, platform, more) => {
  expect(largePages(env, platform)).toEqual(more);
});
