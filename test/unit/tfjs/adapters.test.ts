import { describe, it } from 'vitest';
import { EXACT, layerProblem } from '../adapters/layer-problem';
import { compareEngines } from './compare';

describe.each(['cpu', 'wasm'] as const)('on %s', (device) => {
  it.each(EXACT)(
    '%s %o computes as in ONNX Runtime, with the same gradients',
    async (method, over, sizes) => {
      await compareEngines(layerProblem(method, over, sizes[0], 'MatMul with bias'), 9, device);
    },
  );
});
