import type { EngineName, OrtDevice, Place, TfjsBackend } from '../place';
import type { DeviceFacts } from './facts';

/** A device of an engine, and why it is not worth trying here; undefined where it is. */
export interface Candidate {
  place: Place;
  problem?: string;
}

/** The processor's own device of each engine: what always works, and what a run falls back to. */
export const PROCESSOR = {
  onnxruntime: { engine: 'onnxruntime', device: 'cpu' },
  tfjs: { engine: 'tfjs', device: 'wasm' },
} as const satisfies Record<EngineName, Place>;

export const onProcessor = ({ device }: Place): boolean => device === 'cpu' || device === 'wasm';

/**
 * What `--device auto` tries: each device of an engine, the processor's first. A software rasterizer (lavapipe,
 * SwiftShader) is a processor that plays GPU, never faster than the processor itself, so that a GPU needs its
 * device file.
 */
export function candidates(engine: EngineName, facts: DeviceFacts): Candidate[] {
  const ort = (device: OrtDevice, problem?: string) => of({ engine: 'onnxruntime', device }, problem);
  const tfjs = (device: TfjsBackend, problem?: string) => of({ engine: 'tfjs', device }, problem);
  const of = (place: Place, problem?: string): Candidate => ({
    place,
    problem: notBuilt(place, facts) ?? problem,
  });
  if (engine === 'onnxruntime') return [ort('cpu'), ort('webgpu', noGpu(facts)), ort('cuda', noCuda(facts))];
  return [tfjs('wasm'), tfjs('cpu'), tfjs('webgpu', noGpu(facts)), tfjs('tensorflow', noTensorflow(facts))];
}

/** Devices whose packages have no binary for some platform, and those for which they have one. */
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

/** Why a device cannot be had on a platform, whatever is installed; undefined where it can. */
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
  // In WSL the card is behind Windows' driver and has no file of its own.
  if (!nvidia && gpuFile !== '/dev/dxg') return 'no NVIDIA card (no /dev/nvidia0)';
  return cudaProvider ? undefined : "ONNX Runtime's CUDA provider is not installed";
}

const noTensorflow = ({ tensorflow }: DeviceFacts): string | undefined =>
  tensorflow ? undefined : "TensorFlow's native library is not installed";
