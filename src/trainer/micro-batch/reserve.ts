const BYTES = 2 ** 25;

interface ShrinkingBuffer {
  resize(bytes: number): void;
}

/** Node 20 has it; the types of ES2023 do not know it yet. */
const Shrinking = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => ShrinkingBuffer;

/**
 * Memory that is set aside untouched, and given back once the runtime has found none. It takes the last byte before it
 * says so, and Node ends the process at the next allocation that fails.
 */
export class Reserve {
  private readonly buffer: ShrinkingBuffer | undefined = setAside();

  /** For Node's heap to grow into. */
  release(): void {
    this.buffer?.resize(0);
  }
}

/** Nothing where that little is not there to begin with. A buffer that can shrink gives its pages back at once. */
function setAside(): ShrinkingBuffer | undefined {
  try {
    return new Shrinking(BYTES, { maxByteLength: BYTES });
  } catch {
    return undefined;
  }
}
