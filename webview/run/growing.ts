/** A Float64Array that grows. */
export class Growing {
  private values = new Float64Array(1024);
  length = 0;

  /** The current content, not copied; valid until the next change. */
  get view(): Float64Array {
    return this.values.subarray(0, this.length);
  }

  push(value: number): void {
    this.reserve(this.length + 1);
    this.values[this.length++] = value;
  }

  reserve(length: number): void {
    if (length <= this.values.length) return;
    const grown = new Float64Array(Math.max(length, this.values.length * 2));
    grown.set(this.view);
    this.values = grown;
  }

  truncate(length: number): void {
    this.length = Math.min(this.length, length);
  }
}
