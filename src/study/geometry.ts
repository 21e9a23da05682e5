import { aboutMethod, isHeadAlone } from '../experiment/methods';

/** The change of the weights ΔW in the stored checkpoints: RUN/study/geometry.json. */
export interface Geometry {
  version: 1;
  /** The input: step and SHA-256 of each adapter, ascending. */
  from: Snapshot[];
  /** The steps, preceded by 0, the start of training, in the first two principal components. */
  path: { step: number; x: number; y: number }[];
  /** Shares of variance explained by the two components. */
  shares: [number, number];
  /** For each module at the last of the steps. */
  modules: ModuleGeometry[];
}

export interface ModuleGeometry {
  path: string;
  /** Singular values of the merged ΔW, largest first. */
  values: number[];
  /** If there are more of them than in `values`: their number, and the `effectiveRank` of all. */
  directions?: number;
  effectiveRank?: number;
}

/** True if an adapter changes weights of linear layers. */
export function hasGeometry(adapter: { method: string }): boolean {
  const { onlyBiases, onEmbedding, changesByBatch } = aboutMethod(adapter.method);
  return !isHeadAlone(adapter) && !onlyBiases && !onEmbedding && !changesByBatch;
}

export const directionsOf = ({ values, directions }: ModuleGeometry): number => directions ?? values.length;

export const effectiveRankOf = (module: ModuleGeometry): number =>
  module.effectiveRank ?? effectiveRank(module.values);

export interface Snapshot {
  step: number;
  sha256: string;
}

/** Parses a file's content; undefined if it is not of this version. */
export function parseGeometry(value: unknown): Geometry | undefined {
  const g = value as Partial<Geometry> | null | undefined;
  if (g?.version !== 1 || !Array.isArray(g.from) || !Array.isArray(g.path) || !Array.isArray(g.modules))
    return undefined;
  const isWhole =
    g.from.every((s) => isNumber(s?.step) && typeof s.sha256 === 'string') &&
    g.path.every((p) => [p?.step, p?.x, p?.y].every(isNumber)) &&
    g.modules.every(
      (m) =>
        typeof m?.path === 'string' &&
        Array.isArray(m.values) &&
        m.values.every(isNumber) &&
        [m.directions, m.effectiveRank].every((v) => v === undefined || isNumber(v)),
    ) &&
    Array.isArray(g.shares) &&
    g.shares.length === 2 &&
    g.shares.every(isNumber);
  return isWhole ? (g as Geometry) : undefined;
}

/**
 * Effective rank of ΔW, the number of directions that it really uses: e to the entropy of the singular values' shares
 * (Roy and Vetterli, EUSIPCO 2007); 0 for a zero matrix.
 */
export function effectiveRank(values: readonly number[]): number {
  const sum = values.reduce((a, b) => a + b, 0);
  if (sum === 0) return 0;
  const entropy = values.reduce((h, v) => (v > 0 ? h - (v / sum) * Math.log(v / sum) : h), 0);
  return Math.exp(entropy);
}

const isNumber = (value: unknown): value is number => Number.isFinite(value);
