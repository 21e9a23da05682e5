/**
 * What `aurora doctor --json` prints: one JSON object a line, each as soon as it is known; `report` comes last
 * and holds all of it. Readers pass over kinds they do not know.
 */
export type DoctorLine =
  | ({ kind: 'system' } & MachineFacts)
  | { kind: 'checking'; engine: string; device: string }
  | ({ kind: 'place' } & PlaceCheck)
  | ({ kind: 'report' } & MachineCheck);

/** What the machine says of itself; nothing is measured. */
export interface MachineFacts {
  platform: string;
  cpu: string;
  cores: number;
  /** Bytes. */
  totalMemory: number;
  freeMemory: number;
  gpus: GpuFacts[];
  /** What training would gain from, each with one next step. */
  missing: { what: string; hint: string }[];
}

export interface GpuFacts {
  name: string;
  /** The driver with its version, where one is known. */
  driver?: string;
  /** Bytes of its own memory, where known. */
  memory?: number;
  /** A processor that plays GPU. */
  software: boolean;
  /** Where the facts come from. */
  source: 'nvidia-smi' | 'webgpu';
  /** WebGPU's shader-f16: mixed precision needs it. */
  float16?: boolean;
}

/** One engine on one device, measured, or why not. */
export interface PlaceCheck {
  engine: string;
  device: string;
  /** Billions of float32 operations a second in matrix products of `size` × `size`. */
  gflops?: number;
  size?: number;
  /** Training steps of the encoder that `step` describes, a second. */
  stepsPerSecond?: number;
  /** Seconds that were measured, warm-up left out. */
  seconds?: number;
  problem?: string;
  hint?: string;
}

export interface MachineCheck {
  /** Milliseconds since 1970. */
  at: number;
  facts: MachineFacts;
  /** What a training step was: "4 layers × 256, batch 8 × 64, AuroRA r=2". */
  step: string;
  places: PlaceCheck[];
}
