import { describe, expect, it } from 'vitest';
import { type KeptFit, type KeptLayer, parseKeptFit } from '../../../src/protocol/linear-fit';

const layer: KeptLayer = {
  ...{ path: 'query', tokens: 10, r2: 0.5, plain: 'origin', fallback: 'singular' },
  ...{ M: [1, 2, 3, 4], c: [5, 6], plainBy: [1, 1, 1, 1] },
};
const whole: KeptFit = { version: 1, step: 4, seed: 7, tokens: 10, values: 'abc', layers: [layer] };

const withLayer = (change: object) => ({ ...whole, layers: [layer, { ...layer, ...change }] });

describe('parseKeptFit', () => {
  it.each([whole, { ...whole, layers: [] }, withLayer({ fallback: undefined })])('reads %j', (value) => {
    expect(parseKeptFit(JSON.parse(JSON.stringify(value)))).toEqual(value);
  });

  it.each([
    undefined,
    null,
    7,
    'text',
    [],
    { ...whole, version: 2 },
    { ...whole, step: -1 },
    { ...whole, step: 1.5 },
    { ...whole, tokens: '10' },
    { ...whole, values: 7 },
    { ...whole, layers: { length: 1 } },
    { ...whole, layers: [null] },
    withLayer({ path: 7 }),
    withLayer({ c: [] }),
    withLayer({ c: [1, 2, 3] }),
    withLayer({ M: [1, 2, 3] }),
    withLayer({ M: [1, 2, 3, '4'] }),
    withLayer({ M: [1, 2, 3, null] }),
    withLayer({ M: { length: 4 } }),
    withLayer({ plain: 'other' }),
    withLayer({ plainBy: [1] }),
    withLayer({ plainBy: undefined }),
    withLayer({ r2: null }),
    withLayer({ fallback: 'tired' }),
  ])('refuses %j', (value) => {
    expect(parseKeptFit(value)).toBe(undefined);
  });
});
