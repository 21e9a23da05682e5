/**
 * Optional parts for a machine with an NVIDIA GPU: native libraries too large for the extension, downloaded on request.
 */
export const GPU_PARTS = {
  cuda: {
    title: 'CUDA for ONNX Runtime',
    package: 'onnxruntime-node',
    platforms: ['linux-x64'],
    /** Value in the settings, and of `--engine` and `--device`. */
    place: { engine: 'onnxruntime', device: 'cuda' },
    needs: 'CUDA 12 and cuDNN 9',
    license: 'MIT license, from Microsoft through NuGet',
  },
  tensorflow: {
    title: 'TensorFlow for TensorFlow.js',
    package: '@tensorflow/tfjs-node-gpu',
    platforms: ['linux-x64', 'win32-x64'],
    place: { engine: 'tfjs', device: 'tensorflow' },
    needs: 'CUDA 11.2 and cuDNN 8.1',
    license: 'Apache-2.0 license, from Google',
  },
} as const;

export type GpuPart = keyof typeof GPU_PARTS;

export const GPU_PART_NAMES = Object.keys(GPU_PARTS) as GpuPart[];

/** The environment variable that names the folder to load from. */
export const GPU_SUPPORT_VARIABLE = 'AURORA_GPU_SUPPORT';

/** The folder in the extension's storage, or in the user's data folder. */
export const GPU_FOLDER = 'gpu';

export const fits = (part: GpuPart, platform: string): boolean =>
  (GPU_PARTS[part].platforms as readonly string[]).includes(platform);

/** The result of loading it and computing with it. */
export interface GpuCheck {
  usable: boolean;
  /** The error, and the one next step. */
  problem?: string;
  hint?: string;
  /** The files themselves are damaged: reinstalling helps. */
  damaged?: boolean;
}

/** A part as listed by `aurora gpu list --json`. */
export interface GpuState {
  part: GpuPart;
  /** True if it exists for this platform. */
  fits: boolean;
  /** Version of the package that this build is compatible with. */
  version: string;
  installed?: GpuInstalled;
}

/** Stored beside the installed files. */
export interface GpuInstalled extends GpuCheck {
  version: string;
  /** ISO 8601. */
  at: string;
  /** SHA-256 of each native library, by path; unknown for older installs. */
  files?: Record<string, string>;
  /** Downloads without a published hash: trusted at the first install, compared at later ones. */
  unpinned?: string[];
}

/** Output lines of `aurora gpu install --json`. */
export type GpuEvent =
  | { kind: 'step'; step: GpuStep }
  /** Bytes of the current file; `total` if the server states it. */
  | { kind: 'progress'; file: string; received: number; total?: number }
  | ({ kind: 'result'; part: GpuPart; version: string; already: boolean; unpinned?: string[] } & GpuCheck);

export type GpuStep = 'checking' | 'copying' | 'downloading' | 'unpacking' | 'verifying';
