import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';
import { childEnvironment } from '../../files/child-environment';
import type { OrtDevice } from '../place';
import { placeName } from '../../protocol/device-words';

const HERE = `${process.platform} ${process.arch}`;

/**
 * Why a device cannot be used, derived from the runtime's message, with one next step; undefined if the device is not
 * the cause.
 */
export function deviceError(device: OrtDevice, cause: Error): AuroraError | undefined {
  const trouble =
    device === 'webgpu' ? webgpuTrouble(cause) : device === 'cuda' ? cudaTrouble(cause) : undefined;
  return trouble && new AuroraError('device', trouble.message, trouble.hint, { cause });
}

interface Trouble {
  message: string;
  hint: string;
}

const DRIVER: Partial<Record<NodeJS.Platform, Trouble>> = {
  linux: {
    message: 'WebGPU found no GPU with a Vulkan driver.',
    hint: "Install the card's Vulkan driver (NVIDIA's own; on Debian and Ubuntu mesa-vulkan-drivers for AMD and Intel), then check that `vulkaninfo --summary` lists the card.",
  },
  win32: {
    message: 'WebGPU found no GPU with a Direct3D 12 driver.',
    hint: "Install the current driver from the card's manufacturer.",
  },
};

function webgpuTrouble({ message }: Error): Trouble | undefined {
  if (/backend not found|WebGPU execution provider is not supported|not enabled in this build/i.test(message))
    return {
      message: `ONNX Runtime has no WebGPU for ${HERE}.`,
      hint: 'Train on the CPU: --device cpu, or the setting aurora.device.',
    };
  if (/Failed to get a WebGPU adapter/i.test(message))
    return (
      DRIVER[process.platform] ?? { message: 'WebGPU found no GPU.', hint: 'Train on the CPU: --device cpu.' }
    );
  if (/Failed to get a WebGPU device/i.test(message))
    return {
      message: 'The GPU was found, but its driver provides no WebGPU device.',
      hint: "Update the card's driver.",
    };
  if (/device (?:is|was) lost|device lost/i.test(message))
    return {
      message: 'The GPU stopped responding: its driver reset it, or its memory was full.',
      hint: 'Start again with a smaller training.microBatchSize.',
    };
  return undefined;
}

function cudaTrouble({ message }: Error): Trouble | undefined {
  if (/backend not found/.test(message))
    return {
      message: `ONNX Runtime has no CUDA provider for ${HERE}; it has one for linux x64 only.`,
      hint: 'Choose webgpu, which runs on the same cards.',
    };
  if (/Failed to load shared library|Failed to load library/i.test(message))
    return providerTrouble(runtimeFolder());
  if (/no CUDA-capable device/i.test(message))
    return { message: 'CUDA found no NVIDIA GPU.', hint: 'Check that `nvidia-smi` lists one.' };
  if (/driver version is insufficient/i.test(message))
    return {
      message: 'The NVIDIA driver is too old for CUDA 12.',
      hint: 'Update it to version 525 or newer.',
    };
  return undefined;
}

/** @param folder of the runtime's own library, where it searches for providers */
export function providerTrouble(folder: string | undefined): Trouble {
  const provider = join(folder ?? '', 'libonnxruntime_providers_cuda.so');
  if (folder === undefined || !existsSync(provider))
    return {
      message: "ONNX Runtime's CUDA provider is not installed.",
      hint: 'Run `AuroRA: Install GPU Support` in VS Code, or `aurora gpu install cuda` in a terminal.',
    };
  const missing = missingLibraries(provider);
  if (missing.length === 0)
    return {
      message: `ONNX Runtime's CUDA provider in ${folder} could not be loaded.`,
      hint: 'Install it again: `AuroRA: Install GPU Support` in VS Code, or `aurora gpu install cuda` in a terminal.',
    };
  const driver = missing.includes('libcuda.so.1');
  return {
    message: `ONNX Runtime's CUDA provider needs ${missing.join(', ')}, which could not be found.`,
    hint: driver
      ? 'Install the NVIDIA driver.'
      : 'Install CUDA 12 and cuDNN 9, and put their lib folders on LD_LIBRARY_PATH.',
  };
}

/**
 * The runtime's own folder, from the libraries that this process has loaded: it may not be our copy. Linux only, like
 * CUDA.
 */
function runtimeFolder(): string | undefined {
  try {
    const loaded = /\S*\/libonnxruntime\.so\S*/.exec(readFileSync('/proc/self/maps', 'utf8'));
    return loaded ? dirname(loaded[0]) : undefined;
  } catch {
    return undefined;
  }
}

/** Libraries that the system's loader cannot find: it names one in its error, and the runtime not even that. */
function missingLibraries(library: string): string[] {
  const { stdout } = spawnSync('ldd', [library], { encoding: 'utf8', env: childEnvironment() });
  return [...(stdout ?? '').matchAll(/^\s*(\S+) => not found$/gm)].map((m) => m[1]);
}

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
