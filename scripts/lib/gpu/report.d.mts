interface Finding {
  kind: string;
  /** null if it is not finite. */
  error: number | null;
  tolerance: number;
}

interface Compared {
  name: string;
  done: {
    file: string;
    agrees: boolean;
    worst: Finding[];
    failures: (Finding & { field: string; problem?: string })[];
  }[];
  of: number;
  seconds: number;
  problem?: string;
}

interface StepRow {
  name: string;
  gap?: number;
  tolerance?: number;
  step?: number;
  cpuStep?: number;
  hostMB?: number;
  gpuMB?: number;
  problem?: string;
  failed?: boolean;
}

export interface Check {
  date: string;
  machine: object;
  minutes: number;
  case: string;
  adapter?: { name: string; driver?: string; software: boolean };
  software: boolean;
  cards: string[];
  absent: { name: string; problem: string }[];
  references: Compared[];
  steps: { name: string; rows: StepRow[] }[];
  devices: { problem: string } | { problem?: undefined; rounds: number; figures: object[] };
}

export function passed(check: Check): boolean;
export function report(check: Check): string;
