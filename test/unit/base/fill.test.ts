import { expect, it } from 'vitest';
import { fill } from '../../../src/base/fill';

it('fills placeholders in any order and leaves those without a value', () => {
  expect(fill('{1} of {0}, {2}', 10, 'three')).toBe('three of 10, {2}');
});

it('does not expand placeholders inside a value', () => {
  expect(fill('{0} {1}', '{1}', '$&')).toBe('{1} $&');
});
