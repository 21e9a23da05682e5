import { IncrementalPca } from './incremental-pca';

/** Layers that read the same inputs, and share their components. */
export interface EvaGroup {
  /** The ranks that its layers have in the experiment, by path, in the order of the layers. */
  ranks: ReadonlyMap<string, number>;
  width: number;
  /** The most components that each of its layers allows. */
  limit: number;
}

/** Settings of PEFT's EvaConfig. */
export interface EvaSettings {
  /** The largest rank of a layer, as a multiple of its rank in the experiment. */
  rho: number;
  /** Components have converged if their cosine with those before the last batch is at least this. */
  tau: number;
  /** Divide each component by the root of its singular value. */
  whiten: boolean;
}

/** A group with its components so far. */
interface State {
  group: EvaGroup;
  pca: IncrementalPca;
  /** For each component. */
  converged: boolean[];
  /** True while its layers' inputs are not needed. */
  isDone: boolean;
}

/**
 * EVA (Paischer et al., arXiv 2410.07170; PEFT's tuners/lora/eva.py): A is the principal components of a layer's inputs, and the
 * ranks go to the layers whose inputs they explain most of. Each group sees batch after batch until the components that
 * its ranks need have converged.
 *
 * `needs` before each batch, `add` for each group that needs it, and `spread` after it, until nothing is needed.
 */
export class EvaStart {
  private readonly states: ReadonlyMap<EvaGroup, State>;
  private readonly budget: number;
  private ranks: Map<string, number> | undefined;

  constructor(
    private readonly groups: readonly EvaGroup[],
    private readonly settings: EvaSettings,
  ) {
    this.states = new Map(
      groups.map((group) => {
        const most = Math.max(...[...group.ranks.values()].map((r) => roundHalfEven(r * settings.rho)));
        const pca = new IncrementalPca(group.width, Math.max(1, Math.min(most, group.limit)));
        return [group, { group, pca, converged: [], isDone: false }];
      }),
    );
    this.budget = groups.flatMap((g) => [...g.ranks.values()]).reduce((sum, r) => sum + r, 0);
  }

  /** The groups that the next batch is needed for. */
  needs(): EvaGroup[] {
    for (const state of this.states.values()) {
      const { group, pca, converged } = state;
      const wanted = this.ranks ? Math.max(...this.ranksIn(group)) : pca.count;
      state.isDone = isAll(converged, wanted);
    }
    return this.groups.filter((g) => !this.states.get(g)!.isDone);
  }

  /**
   * @param rows the inputs of a batch without padding, (tokens, width)
   * @returns false if the batch has too few tokens for the group
   */
  add(group: EvaGroup, rows: Float32Array): boolean {
    const state = this.states.get(group)!;
    const { pca } = state;
    const before = pca.components;
    if (!pca.add(rows)) return false;
    if (before.length > 0)
      state.converged = pca.components.map((v, k) => cosine(v, before[k]) >= this.settings.tau);
    return true;
  }

  /** Spreads the ranks again, once every group has components. */
  spread(): void {
    if ([...this.states.values()].every(({ pca }) => pca.components.length > 0))
      this.ranks = this.spreadRanks();
  }

  /** The ranks by path, also those of 0. */
  result(): ReadonlyMap<string, number> {
    return this.ranks!;
  }

  /** The share of layers whose components have converged. */
  share(): number {
    const done = [...this.states.values()].filter((s) => s.isDone).length;
    return done / this.states.size;
  }

  /** The tokens that a batch needs for a group. */
  least(group: EvaGroup): number {
    return this.states.get(group)!.pca.count;
  }

  /** A (rank, in) of a layer. */
  A(group: EvaGroup, path: string): Float32Array {
    const { pca } = this.states.get(group)!;
    const rank = this.ranks!.get(path)!;
    const A = new Float32Array(rank * group.width);
    for (let k = 0; k < rank; k++) {
      const by = this.settings.whiten ? 1 / Math.sqrt(pca.singularValues[k]) : 1;
      pca.components[k].forEach((x, i) => (A[k * group.width + i] = by * x));
    }
    return A;
  }

  private ranksIn = (group: EvaGroup): number[] =>
    [...group.ranks.keys()].map((path) => this.ranks!.get(path)!);

  /** As many ranks as the experiment gives all layers, to the largest shares of explained variance among all layers. */
  private spreadRanks(): Map<string, number> {
    const shares = this.groups.flatMap((group) => {
      const explained = this.states.get(group)!.pca.explained();
      return [...group.ranks.keys()].flatMap((path) => explained.map((share) => ({ path, share })));
    });
    shares.sort((a, b) => b.share - a.share);
    const counts = new Map(this.groups.flatMap((g) => [...g.ranks.keys()].map((path) => [path, 0])));
    for (const { path } of shares.slice(0, this.budget)) counts.set(path, counts.get(path)! + 1);
    // Layers of a group have equal shares: one that is left over goes to the first, as in PEFT.
    for (const { ranks } of this.groups) {
      const [first, ...others] = ranks.keys();
      for (const path of others) {
        const [own, most] = [counts.get(path)!, counts.get(first)!];
        if (own > most) {
          counts.set(first, own);
          counts.set(path, most);
        }
      }
    }
    return counts;
  }
}

const isAll = (converged: readonly boolean[], count: number): boolean =>
  converged.length >= count && converged.slice(0, count).every(Boolean);

function cosine(x: Float64Array, y: Float64Array): number {
  let [both, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    both += x[i] * y[i];
    xx += x[i] * x[i];
    yy += y[i] * y[i];
  }
  return both / Math.sqrt(xx * yy);
}

/** Python's round. */
function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}
