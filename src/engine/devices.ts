import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { EngineName, OrtDevice, Place, TfjsBackend } from './place';

/** A device of an engine, and why it is not worth trying here; undefined if it is. */
export interface Candidate {
  place: Place;
  problem?: string;
  /** The machine has no such device, or its platform has none. */
  missing?: true;
}

/** The CPU device of each engine: always works, and is a run's fallback. */
export const PROCESSOR = {
  onnxruntime: { engine: 'onnxruntime', device: 'cpu' },
  tfjs: { engine: 'tfjs', device: 'wasm' },
} as const satisfies Record<EngineName, Place>;

export const onProcessor = ({ device }: Pick<Place, 'device'>): boolean =>
  device === 'cpu' || device === 'wasm';

/** True if it computes on a graphics card. */
const onCard = ({ device }: Place): boolean => device === 'webgpu' || device === 'cuda';

/**
 * The candidates of `--device auto`: each device of an engine, the CPU's first. A software renderer (lavapipe,
 * SwiftShader) is never faster than the CPU itself, so a GPU must have its device file.
 */
export function candidates(engine: EngineName, facts: DeviceFacts): Candidate[] {
  const ort = (device: OrtDevice, problem?: string) => of({ engine: 'onnxruntime', device }, problem);
  const tfjs = (device: TfjsBackend, problem?: string) => of({ engine: 'tfjs', device }, problem);
  const of = (place: Place, problem?: string): Candidate => {
    const unbuilt = notBuilt(place, facts);
    const isMissing = unbuilt !== undefined || (onCard(place) && noGpu(facts) !== undefined);
    return { place, problem: unbuilt ?? problem, ...(isMissing && { missing: true }) };
  };
  if (engine === 'onnxruntime') return [ort('cpu'), ort('webgpu', noGpu(facts)), ort('cuda', noCuda(facts))];
  return [tfjs('wasm'), tfjs('cpu'), tfjs('webgpu', noGpu(facts)), tfjs('tensorflow', noTensorflow(facts))];
}

/** Devices whose packages lack a binary for some platform, and the platforms that have one. */
const BUILT: Record<string, { for: readonly string[]; otherwise: string } | undefined> = {
  'onnxruntime:webgpu': {
    for: ['linux-x64', 'win32-x64', 'win32-arm64', 'darwin-arm64'],
    otherwise: 'ONNX Runtime has no WebGPU on',
  },
  'onnxruntime:cuda': { for: ['linux-x64'], otherwise: 'CUDA needs Linux on x64; this is' },
  'tfjs:tensorflow': {
    for: ['linux-x64', 'win32-x64'],
    otherwise: "TensorFlow's native library needs Linux or Windows on x64; this is",
  },
};

/**
 * The reason why a device is unavailable on a platform, regardless of what is installed; undefined if it is available.
 */
export function notBuilt(
  { engine, device }: Place,
  { platform, arch }: Pick<DeviceFacts, 'platform' | 'arch'>,
): string | undefined {
  const here = `${platform}-${arch}`;
  const built = BUILT[`${engine}:${device}`];
  return !built || built.for.includes(here) ? undefined : `${built.otherwise} ${here}`;
}

function noGpu({ platform, arch, gpuFile }: DeviceFacts): string | undefined {
  if (platform === 'win32' || (platform === 'darwin' && arch === 'arm64')) return undefined;
  if (platform === 'linux')
    return gpuFile ? undefined : 'no graphics card (no /dev/dri/renderD*, /dev/nvidia0 or /dev/dxg)';
  return `not tried on ${platform}-${arch}`;
}

function noCuda({ nvidia, gpuFile, cudaProvider }: DeviceFacts): string | undefined {
  // In WSL, the GPU is behind the Windows driver and has no device file.
  if (!nvidia && gpuFile !== '/dev/dxg') return 'no NVIDIA card (no /dev/nvidia0)';
  return cudaProvider ? undefined : "ONNX Runtime's CUDA provider is not installed";
}

const noTensorflow = ({ tensorflow }: DeviceFacts): string | undefined =>
  tensorflow ? undefined : "TensorFlow's native library is not installed";

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

/** The requested device. */
export interface DeviceRequest {
  engine: EngineName;
  /** 'auto' measures; several devices to measure against each other; or one device. */
  device: 'auto' | Place['device'] | Place[];
  /** Fall back to the CPU, visibly, if the device cannot be used. */
  fallBack: boolean;
  /** True for each of the two that was given explicitly rather than by default: a resumed run respects only these. */
  given: { engine: boolean; device: boolean };
}
