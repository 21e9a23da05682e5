export interface Place {
  engine: string;
  device: string;
  name: string;
  hub: boolean;
}

export const PLACES: Place[];
export function referenceFiles(place: Place): string[];
export function problemOf(place: Place): Promise<string | undefined>;
export function compareWithPyTorch(
  place: Place,
  files: string[],
  seconds: number,
): Promise<{ done: { file: string; agrees: boolean }[]; of: number; seconds: number; problem?: string }>;
