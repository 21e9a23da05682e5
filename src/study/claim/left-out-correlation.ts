import { averageRanks, equalGroups } from '../../experiment/scores/regression';
import { meanOf } from '../statistics/summary';
import { type LeftOut, leftOutOfSums } from './left-out';

/** Pearson's correlation, in O(examples). 0 where it is undefined, as in `pearson`. */
export function leftOutOfPearson(a: ArrayLike<number>, b: ArrayLike<number>): LeftOut {
  const [x, y] = [centered(a), centered(b)];
  const product = (u: Float64Array, v: Float64Array) => u.map((value, i) => value * v[i]);
  const terms = [x, y, product(x, x), product(y, y), product(x, y), x.map(() => 1)] as const;
  return leftOutOfSums(terms, correlationOf);
}

function centered(values: ArrayLike<number>): Float64Array {
  const mean = meanOf(values);
  return new Float64Array(values).map((v) => v - mean);
}

/** A spread below this share of the squares is that of rounding: all values are the same. */
const ROUNDING = 1e-12;

/** Pearson's correlation of n pairs from their sums, those of their squares, and that of their products. */
function correlationOf(x: number, y: number, xx: number, yy: number, xy: number, n: number): number {
  const [spreadX, spreadY] = [xx - (x * x) / n, yy - (y * y) / n];
  if (!(spreadX > ROUNDING * xx && spreadY > ROUNDING * yy)) return 0;
  return Math.max(-1, Math.min(1, (xy - (x * y) / n) / Math.sqrt(spreadX) / Math.sqrt(spreadY)));
}

/**
 * Spearman's correlation, exactly and in O(examples · log(examples)). An example that is left out lowers the ranks of
 * all greater values by 1 and those of equal ones by ½. So the sums of the other ranks, of their squares and of their
 * products follow from sums over the greater and the equal values, and the number of examples that are greater on both
 * sides is counted in a tree.
 */
export function leftOutOfSpearman(a: ArrayLike<number>, b: ArrayLike<number>): LeftOut {
  const n = a.length;
  const [x, y] = [averageRanks(a), averageRanks(b)];
  const groups = equalGroups(x).reverse();
  const [ofX, ofY] = [lowering(groups, x, y), lowering(equalGroups(y).reverse(), y, x)];
  const together = loweredTogether(groups, y);
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    xx += x[i] * x[i];
    yy += y[i] * y[i];
    xy += x[i] * y[i];
  }
  const sum = (n * (n + 1)) / 2;
  const without = Float64Array.from({ length: n }, (_, i) =>
    correlationOf(
      sum - x[i] - ofX.lowered[i],
      sum - y[i] - ofY.lowered[i],
      xx - x[i] * x[i] - 2 * ofX.own[i] + ofX.squares[i],
      yy - y[i] * y[i] - 2 * ofY.own[i] + ofY.squares[i],
      xy - x[i] * y[i] - ofX.other[i] - ofY.other[i] + together[i],
      n - 1,
    ),
  );
  return { value: correlationOf(sum, sum, xx, yy, xy, n), without };
}

/**
 * Each example left out lowers the rank of others by an amount of 1 or ½. Returns for each the sums over these others
 * of the amounts, of their squares, of the amounts times their ranks, and times their ranks on the other side.
 */
function lowering(groups: readonly number[][], ranks: Float64Array, others: Float64Array) {
  const n = ranks.length;
  const made = () => new Float64Array(n);
  const [lowered, squares, own, other] = [made(), made(), made(), made()];
  let [count, ownAbove, otherAbove] = [0, 0, 0];
  for (const group of groups) {
    let otherEqual = 0;
    for (const i of group) otherEqual += others[i];
    const rank = ranks[group[0]];
    for (const i of group) {
      lowered[i] = count + (group.length - 1) / 2;
      squares[i] = count + (group.length - 1) / 4;
      own[i] = ownAbove + ((group.length - 1) * rank) / 2;
      other[i] = otherAbove + (otherEqual - others[i]) / 2;
    }
    count += group.length;
    ownAbove += group.length * rank;
    otherAbove += otherEqual;
  }
  return { lowered, squares, own, other };
}

/** For each example the sum over the others of both amounts' product, by which it lowers their ranks. */
function loweredTogether(groups: readonly number[][], y: Float64Array): Float64Array {
  const n = y.length;
  const out = new Float64Array(n);
  // Ranks are multiples of ½ from 1 to n.
  const tree = new Float64Array(2 * n + 1);
  const add = (rank: number) => {
    for (let at = 2 * rank; at <= 2 * n; at += at & -at) tree[at]++;
  };
  const upTo = (rank: number): number => {
    let sum = 0;
    for (let at = 2 * rank; at > 0; at -= at & -at) sum += tree[at];
    return sum;
  };
  let count = 0;
  /** The number of greater values on the other side and half that of equal ones, among those in the tree. */
  const amounts = (i: number) => count - (upTo(y[i]) + upTo(y[i] - 0.5)) / 2;
  for (const group of groups) {
    for (const i of group) out[i] = amounts(i) / 2;
    for (const i of group) add(y[i]);
    count += group.length;
    // The mean of before and after gives equal values half; the example itself, equal on both sides, is not among them.
    for (const i of group) out[i] += (amounts(i) - 0.5) / 2;
  }
  return out;
}
