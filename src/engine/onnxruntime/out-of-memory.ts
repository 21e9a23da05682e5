import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';
import { placeName, type OrtDevice } from '../place';

/** ONNX Runtime's messages when memory runs out. */
const NO_MEMORY: readonly RegExp[] = [
  // Its own arena, on the CPU and on CUDA, and the C++ library's, on Linux and Windows.
  /failed to allocate memory/i,
  /bad_alloc|bad allocation|bad_array_new_length/,
  // CUDA itself, and the libraries on top of it, which need their own workspaces.
  /\bout of memory\b/i,
  /CU(?:BLAS|DNN)_STATUS_\w*ALLOC\w*_FAILED/,
  // A tensor above the device's largest binding is split, into more pieces than a shader can read.
  /too many storage buffers in shader/i,
  /VK_ERROR_OUT_OF_(?:DEVICE|HOST)_MEMORY|VK_ERROR_OUT_OF_POOL_MEMORY|E_OUTOFMEMORY/,
  // WebGPU continues with a failed buffer until a shader reads it.
  /\[Invalid Buffer\b/,
];

export const saysOutOfMemory = (message: string): boolean => NO_MEMORY.some((said) => said.test(message));

/** @param cause the runtime's own message */
export const memoryError = (device: OrtDevice, cause: Error): AuroraError =>
  new AuroraError(
    'memory',
    `The computation does not fit into the memory of ${placeName({ engine: 'onnxruntime', device })}${size(cause.message)}.`,
    'Lower training.microBatchSize, or model.maxLength.',
    { cause },
  );

/** The one useful number: the requested size. */
function size(message: string): string {
  const asked = /requested buffer of size (\d+)/.exec(message)?.[1];
  return asked === undefined ? '' : `: another ${bytes(Number(asked))} could not be allocated`;
}
