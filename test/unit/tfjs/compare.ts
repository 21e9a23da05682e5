import { expect } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import type { TfjsBackend } from '../../../src/engine/place';
import { DType } from '../../../src/graph/dtype';
import type { HostTensor, HostTensors } from '../../../src/graph/tensor-infos';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { differentiated, drawInputs, generator, openSizes, symmetric, wrt } from '../autodiff/check';
import type { Problem } from '../autodiff/problem';
import { interpret, tapeGradients } from './interpret';

/** TensorFlow.js only has float32, while the other side may be float64. */
const TOLERANCE = 1e-4;

/**
 * Compares the outputs and all gradients of a problem between our graph in ONNX Runtime and tfjs with its
 * tape.
 */
export async function compareEngines(p: Problem, seed: number, device: TfjsBackend): Promise<void> {
  const d = await differentiated(p);
  const forward = await openSession(encodeModel(d.forward));
  const backward = await openSession(encodeModel(d.backward));
  const random = generator(seed);
  for (const sizes of openSizes(p)) {
    const feeds = drawInputs(p, sizes, random);
    const expected = await forward.run(feeds);
    // WebGPU has no buffers of size 0, so tfjs creates none.
    if (device === 'webgpu' && Object.values(expected).some((t) => t.data.length === 0)) continue;
    const got = await interpret(d.forward.graph, feeds, device);
    for (const [y, t] of Object.entries(expected)) close(got[y], t, y);

    const weights: HostTensors = {};
    for (const [y, { dtype, dims, data }] of Object.entries(expected))
      weights[`w ${y}`] = {
        dtype,
        dims,
        data:
          dtype === DType.double
            ? Float64Array.from({ length: data.length }, () => symmetric(random))
            : Float32Array.from({ length: data.length }, () => symmetric(random)),
      };
    const ours = await backward.run({ ...feeds, ...weights });
    const seeds = Object.fromEntries(Object.entries(weights).map(([y, w]) => [y.slice(2), w]));
    const theirs = await tapeGradients(d.forward.graph, feeds, seeds, wrt(p), device);
    for (const name of wrt(p)) close(theirs[name], ours[d.gradients.get(name)!], `gradient of ${name}`);
  }
  await forward.dispose();
  await backward.dispose();
}

export function close(got: HostTensor, want: HostTensor, name: string, tolerance = TOLERANCE): void {
  expect(got.dims, `shape of ${name}`).toEqual([...want.dims]);
  const [a, b] = [Array.from(got.data, Number), Array.from(want.data, Number)];
  const scale = 1 + Math.max(0, ...b.filter(Number.isFinite).map(Math.abs));
  const wrong = b.findIndex((v, i) => !(Object.is(a[i], v) || Math.abs(a[i] - v) <= tolerance * scale));
  expect(wrong < 0 ? 'equal' : `${name}[${wrong}] is ${a[wrong]}, not ${b[wrong]}`).toBe('equal');
}
