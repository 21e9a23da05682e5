export interface Point {
  size: number;
  flops: number;
  estimate: number;
  times: number[];
}

interface Slopes {
  time: [number, number, number];
  flops: number;
  estimate: number;
}

export interface AxisSlopes {
  axis: string;
  points: Point[];
  all: Slopes;
  end: Slopes;
}

export function slope(xs: number[], ys: number[]): number;
export function slopes(axis: string, points: Point[]): AxisSlopes;
export function report(
  results: AxisSlopes[],
  about: { machine: object; threads: number; rounds: number; busy: number },
): string;
