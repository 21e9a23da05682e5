const BYTES = 2 ** 25;

interface ShrinkingBuffer {
  resize(bytes: number): void;
}

/** Node 20 has it; the ES2023 types do not. */
const Shrinking = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => ShrinkingBuffer;

/**
 * Untouched memory that is freed once the runtime has run out. The runtime takes the last byte before it reports this,
 * and Node ends the process at the next failed allocation.
 */
export class Reserve {
  private readonly buffer: ShrinkingBuffer | undefined = setAside();

  /** Frees memory for Node's heap to grow into. */
  release(): void {
    this.buffer?.resize(0);
  }
}

/** Undefined if even this much is not available. A resizable buffer returns its pages at once when shrunk. */
function setAside(): ShrinkingBuffer | undefined {
  try {
    return new Shrinking(BYTES, { maxByteLength: BYTES });
  } catch {
    return undefined;
  }
}
