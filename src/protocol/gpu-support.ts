/** What can be added to a machine with an NVIDIA GPU: natives too large for the extension, fetched when asked for. */
export const GPU_PARTS = {
  cuda: {
    title: 'CUDA for ONNX Runtime',
    package: 'onnxruntime-node',
    platforms: ['linux-x64'],
    /** Of the settings; and of `--engine` and `--device`. */
    place: { engine: 'onnxruntime', device: 'cuda' },
    needs: 'CUDA 12 and cuDNN 9',
    licence: 'MIT licence, from Microsoft through NuGet',
  },
  tensorflow: {
    title: 'TensorFlow for TensorFlow.js',
    package: '@tensorflow/tfjs-node-gpu',
    platforms: ['linux-x64', 'win32-x64'],
    place: { engine: 'tfjs', device: 'tensorflow' },
    needs: 'CUDA 11.2 and cuDNN 8.1',
    licence: 'Apache-2.0 licence, from Google',
  },
} as const;

export type GpuPart = keyof typeof GPU_PARTS;

export const GPU_PART_NAMES = Object.keys(GPU_PARTS) as GpuPart[];

/** Of what is loaded from it; the environment variable that names the folder. */
export const GPU_SUPPORT_VARIABLE = 'AURORA_GPU_SUPPORT';

/** The folder below the extension's storage, or the user's data folder. */
export const GPU_FOLDER = 'gpu';

export const fits = (part: GpuPart, platform: string): boolean =>
  (GPU_PARTS[part].platforms as readonly string[]).includes(platform);

/** What became of loading it and computing with it. */
export interface GpuCheck {
  usable: boolean;
  /** Why not, and the one next step. */
  problem?: string;
  hint?: string;
  /** The files themselves are bad: installing again helps. */
  damaged?: boolean;
}

/** A part as `aurora gpu list --json` gives it. */
export interface GpuState {
  part: GpuPart;
  /** Whether it exists for this platform. */
  fits: boolean;
  /** Version of the package that this build goes with. */
  version: string;
  installed?: GpuInstalled;
}

/** Kept beside what is installed. */
export interface GpuInstalled extends GpuCheck {
  version: string;
  /** ISO 8601. */
  at: string;
  /** SHA-256 of each native library, by its path; of older installs unknown. */
  files?: Record<string, string>;
  /** Downloads whose hash no publisher states: trusted at the first install, compared at later ones. */
  unpinned?: string[];
}

/** Lines that `aurora gpu install --json` prints. */
export type GpuEvent =
  | { kind: 'step'; step: GpuStep }
  /** Bytes of the file on its way; `total` where the server says. */
  | { kind: 'progress'; file: string; received: number; total?: number }
  | ({ kind: 'result'; part: GpuPart; version: string; already: boolean; unpinned?: string[] } & GpuCheck);

export type GpuStep = 'checking' | 'copying' | 'downloading' | 'unpacking' | 'verifying';
