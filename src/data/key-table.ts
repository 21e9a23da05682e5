/**
 * The first row with each key, in a hash table of four bytes for each of its places: a Map of so many rows would take
 * more memory than their texts.
 */
export class KeyTable {
  /** Row numbers plus one; 0 for a free place. At most half of the places are taken. */
  private readonly places: Uint32Array;
  private readonly mask: number;

  /** @param keys of each row two numbers of 32 bits, evenly distributed */
  constructor(private readonly keys: Uint32Array) {
    let size = 16;
    while (size < keys.length) size *= 2;
    this.places = new Uint32Array(size);
    this.mask = size - 1;
  }

  /** @returns the first row with the key of this one: itself if there was none */
  add(row: number): number {
    const place = this.placeOf(this.keys[2 * row]!, this.keys[2 * row + 1]!);
    return (this.places[place] ||= row + 1) - 1;
  }

  find(low: number, high: number): number | undefined {
    const taken = this.places[this.placeOf(low, high)]!;
    return taken === 0 ? undefined : taken - 1;
  }

  /** The place of the key, or the place where it could be put. */
  private placeOf(low: number, high: number): number {
    let place = low & this.mask;
    for (;;) {
      const taken = this.places[place]!;
      if (taken === 0) return place;
      const at = 2 * (taken - 1);
      if (this.keys[at] === low && this.keys[at + 1] === high) return place;
      place = (place + 1) & this.mask;
    }
  }
}
