import { describe, expect, it } from 'vitest';
import { decodeModel } from './decode-model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { upgradeModel } from '../../../src/graph/upgrade/upgrade';
import { CASES, unpack } from './onnx-cases';
import { difference, runModel } from './onnx-models';

describe("ONNX's operator tests, after reading, upgrading and writing", () => {
  it('are complete', () => expect(CASES).toHaveLength(353));

  it.each(CASES.map((c) => [c.name, c] as const))('pass: %s', async (_, c) => {
    const { model, feeds, want } = unpack(c);
    const got = await runModel(decodeModel(encodeModel(upgradeModel(model))), feeds);
    expect(difference(want, got, 1e-3, 1e-7)).toBeUndefined();
  });
});
