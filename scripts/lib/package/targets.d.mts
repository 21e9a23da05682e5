export const HERE: string;
export const NODE_VERSION: string;
export const TARGETS: Record<
  string,
  { runtime: string; dawn: string; node: { spec: string; integrity: string; file: string } } | undefined
>;
