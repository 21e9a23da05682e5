import { AuroraError } from '../../base/errors';
import { placeName, type OrtDevice } from '../place';

/** What ONNX Runtime says where there is no memory left. */
const NO_MEMORY: readonly RegExp[] = [
  // Its own arena, on the CPU and on CUDA, and the C++ library's, on Linux and Windows.
  /failed to allocate memory/i,
  /bad_alloc|bad allocation|bad_array_new_length/,
  // CUDA itself, and the libraries on it, which want workspaces of their own.
  /\bout of memory\b/i,
  /CU(?:BLAS|DNN)_STATUS_\w*ALLOC\w*_FAILED/,
  // A tensor above the device's largest binding is cut, and there are more pieces than a shader may read.
  /too many storage buffers in shader/i,
  /VK_ERROR_OUT_OF_(?:DEVICE|HOST)_MEMORY|VK_ERROR_OUT_OF_POOL_MEMORY|E_OUTOFMEMORY/,
  // WebGPU goes on with a buffer that could not be had, until a shader reads it.
  /\[Invalid Buffer\b/,
];

export const saysOutOfMemory = (message: string): boolean => NO_MEMORY.some((said) => said.test(message));

/** @param cause the runtime's own word */
export const memoryError = (device: OrtDevice, cause: Error): AuroraError =>
  new AuroraError(
    'memory',
    `What is asked for does not fit into the memory of ${placeName({ engine: 'onnxruntime', device })}${size(cause.message)}.`,
    'Lower training.microBatchSize, or model.maxLength.',
    { cause },
  );

/** The one number that helps: how much was asked for. */
function size(message: string): string {
  const bytes = /requested buffer of size (\d+)/.exec(message)?.[1];
  return bytes === undefined ? '' : `: another ${(Number(bytes) / 2 ** 20).toFixed(0)} MiB could not be had`;
}
