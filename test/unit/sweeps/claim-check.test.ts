import { describe, expect, it } from 'vitest';
import type { FrozenClaim } from '../../../src/study/claim/certificate';
import { checkCertificate } from '../../../src/sweeps/claims/check-certificate';
import { frozenIn } from '../../../src/sweeps/claims/freeze';
import { certificateOf, frozen } from '../extension/claim-folder';

describe('a certificate whose hash and seeds follow from what it says was frozen', () => {
  it.each<[string, FrozenClaim['looks']]>([
    ['laxer levels', [{ seeds: 5, level: 0.4 }]],
    ['too few seeds', [{ seeds: 2, level: 0.025 }]],
    [
      'a later look before an earlier one',
      [
        { seeds: 10, level: 0.005 },
        { seeds: 5, level: 0.02 },
      ],
    ],
    ['a third look', [3, 5, 7].map((seeds) => ({ seeds, level: 0.005 }))],
  ])('is rejected with %s', async (_, looks) => {
    const forged = { ...frozen, looks };
    const { seeds } = frozenIn('', forged);
    const certificate = { ...certificateOf('supported', []), frozen: forged, seeds };
    expect(await checkCertificate(certificate, 'none', async () => {})).toEqual([
      { message: 'The looks that were frozen are not those of a claim.' },
    ]);
  });
});

describe('a certificate of other looks than were frozen', () => {
  const { seeds } = frozenIn('', frozen);
  const good = { ...certificateOf('supported', []), frozen, seeds };

  it.each([
    ['none', []],
    ['too many', Array.from({ length: 3 }, () => good.looks[0]!)],
  ])('is rejected: %s', async (_, looks) => {
    expect(await checkCertificate({ ...good, looks }, 'none', async () => {})).toEqual([
      { message: 'The certificate has other looks than were frozen.' },
    ]);
  });
});
