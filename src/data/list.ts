/** Items in order, which need not all be in memory. An array is such a list. */
export interface List<T> extends Iterable<T> {
  readonly length: number;
  at(index: number): T | undefined;
  /** Reads all of them. */
  map<U>(make: (item: T, index: number) => U): U[];
}

/** A list that makes its items when they are asked for. */
export abstract class MadeList<T> implements List<T> {
  abstract readonly length: number;
  abstract at(index: number): T | undefined;

  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!;
  }

  map<U>(make: (item: T, index: number) => U): U[] {
    return Array.from({ length: this.length }, (_, i) => make(this.at(i)!, i));
  }
}

/** A list whose items are made of those of another one when they are asked for. */
export function mapped<T, U>(list: List<T>, make: (item: T) => U): List<U> {
  if (Array.isArray(list)) return list.map(make);
  return new (class extends MadeList<U> {
    readonly length = list.length;
    at(index: number): U | undefined {
      return index < list.length ? make(list.at(index)!) : undefined;
    }
  })();
}

/** The items at some places, in that order: an array of an array. */
export function pick<L extends List<unknown>>(list: L, places: ArrayLike<number>): L {
  if ('pick' in list) return (list as unknown as { pick(places: ArrayLike<number>): L }).pick(places);
  return Array.from(places, (place) => list.at(place)) as unknown as L;
}
