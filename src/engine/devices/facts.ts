import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Facts that decide which devices are worth trying, found without loading native code. */
export interface DeviceFacts {
  platform: NodeJS.Platform;
  arch: string;
  /** Linux: a device file that only a real GPU has. */
  gpuFile?: string;
  /** Linux: NVIDIA's kernel driver has found a GPU. */
  nvidia: boolean;
  /** ONNX Runtime's CUDA provider is installed. */
  cudaProvider: boolean;
  /** tfjs-node-gpu has its native library. */
  tensorflow: boolean;
}

const NVIDIA = '/dev/nvidia0';

export function deviceFacts(): DeviceFacts {
  const { platform, arch } = process;
  return {
    platform,
    arch,
    gpuFile: platform === 'linux' ? linuxGpu() : undefined,
    nvidia: platform === 'linux' && existsSync(NVIDIA),
    cudaProvider: hasCudaProvider(),
    tensorflow: hasTensorflow(),
  };
}

/** A render node, NVIDIA's own, or WSL's path to the Windows GPU. */
function linuxGpu(): string | undefined {
  const render = names('/dev/dri').find((name) => name.startsWith('renderD'));
  if (render) return join('/dev/dri', render);
  return [NVIDIA, '/dev/dxg'].find((file) => existsSync(file));
}

function hasCudaProvider(): boolean {
  const folder = packageFolder('onnxruntime-node', __filename);
  if (!folder) return false;
  const bin = join(folder, 'bin');
  return names(bin).some((napi) =>
    existsSync(join(bin, napi, process.platform, process.arch, 'libonnxruntime_providers_cuda.so')),
  );
}

/** AURORA_GPU_SUPPORT is where the editor has installed it. */
function hasTensorflow(): boolean {
  const support = process.env.AURORA_GPU_SUPPORT;
  const from = support ? [join(support, 'tensorflow', 'index.js'), __filename] : [__filename];
  return from
    .map((file) => packageFolder('@tensorflow/tfjs-node-gpu', file))
    .some((folder) => folder && names(join(folder, 'lib')).some((name) => name.startsWith('napi')));
}

function packageFolder(name: string, from: string): string | undefined {
  try {
    return dirname(createRequire(from).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
