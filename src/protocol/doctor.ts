/**
 * The output of `aurora doctor --json`: one JSON object per line, each as soon as it is known. `report` comes last and
 * contains everything. Readers ignore unknown kinds.
 */
export type DoctorLine =
  | ({ kind: 'system' } & MachineFacts)
  /** The device that is measured next: its number, from 1, and the number of all. */
  | { kind: 'checking'; engine: string; device: string; number: number; of: number }
  | ({ kind: 'place' } & PlaceCheck)
  | ({ kind: 'report' } & MachineCheck);

/** The machine's own report; nothing is measured. */
export interface MachineFacts {
  platform: string;
  cpu: string;
  cores: number;
  /** Bytes. */
  totalMemory: number;
  freeMemory: number;
  gpus: GpuFacts[];
  /** Missing parts that would make training faster, each with one next step. */
  missing: { what: string; hint: string }[];
}

export interface GpuFacts {
  name: string;
  /** The driver with its version, if known. */
  driver?: string;
  /** Dedicated memory in bytes, if known. */
  memory?: number;
  /** A software renderer. */
  software: boolean;
  /** The source of the facts. */
  source: 'nvidia-smi' | 'webgpu';
  /** WebGPU's shader-f16, required for mixed precision. */
  float16?: boolean;
}

/** An engine on a device: its measurement, or the reason why it has none. */
export interface PlaceCheck {
  engine: string;
  device: string;
  /** Billions of float32 operations per second in matrix products of `size` × `size`. */
  gflops?: number;
  size?: number;
  /** Training steps per second of the encoder that `step` describes. */
  stepsPerSecond?: number;
  /** Measured seconds, excluding warm-up. */
  seconds?: number;
  problem?: string;
  hint?: string;
}

export interface MachineCheck {
  /** Milliseconds since 1970. */
  at: number;
  facts: MachineFacts;
  /** Description of a training step: "4 layers × 256, batch 8 × 64, AuroRA r=2". */
  step: string;
  places: PlaceCheck[];
}
