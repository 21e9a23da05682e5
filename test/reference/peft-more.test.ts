import { describe, expect, it } from 'vitest';
import { agrees } from './agrees';
import { peftMoreFiles } from './files';

/** Cases of methods and settings that are still missing. */
const MISSING = [
  'boft',
  'boft-butterfly',
  'frod',
  'ia3',
  'miss',
  'miss-bat',
  'miss-mini',
  'oft',
  'oft-coft',
  'oft-share',
];

const caseOf = (name: string): string => `../peft-more/${name}.json`;
const cases = peftMoreFiles().filter((name) => !MISSING.some((missing) => caseOf(missing) === name));

it('only lists cases that exist as missing', () => {
  expect(peftMoreFiles()).toEqual(expect.arrayContaining(MISSING.map(caseOf)));
});

describe('newer methods and settings agree with PEFT', () => {
  it.each(cases)('on ONNX Runtime: %s', (name) => agrees(name));

  it.each(cases)('on TensorFlow.js: %s', (name) =>
    agrees(name, { place: { engine: 'tfjs', device: 'wasm' } }),
  );
});
