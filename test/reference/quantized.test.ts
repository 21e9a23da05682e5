import { readdirSync } from 'node:fs';
import { describe, it } from 'vitest';
import { agrees } from './agrees';
import { fixture } from './files';

/** Cases over models whose weights are quantized, in test/fixtures/quantized. */
const cases = readdirSync(fixture('../quantized')).filter((name) => name.endsWith('.json'));

describe('adapters on quantized models agree with PyTorch on the dequantized weights', () => {
  it.each(cases)('%s', (name) => agrees(`../quantized/${name}`));
});
