import { pipeline, Transform, type Readable } from 'node:stream';

/** Bytes per second: less than any connection over which a model could be downloaded. */
const LEAST_RATE = 1024;

/** The bytes that a server has to send in each window, however it spreads them. */
export const leastIn = (windowMs: number): number => Math.ceil((LEAST_RATE * windowMs) / 1000);

/** The code of the error of a body that comes too slowly. */
export const TOO_SLOW = 'AURORA_TOO_SLOW';

/**
 * An answer's body, which ends with an error when the server sends less than a thousand bytes per second: a limit on
 * silence alone never ends one that sends a byte now and then. Time in which nobody reads the received bytes does not
 * count.
 */
export function paced(body: Readable, windowMs: number): Readable {
  let bytes = 0;
  const passed = new Transform({
    transform(piece: Buffer, _, done) {
      bytes += piece.length;
      done(null, piece);
    },
  });
  const timer = setInterval(() => {
    if (bytes < leastIn(windowMs) && passed.readableLength === 0)
      passed.destroy(Object.assign(new Error('The server sends too slowly'), { code: TOO_SLOW }));
    bytes = 0;
  }, windowMs);
  timer.unref();
  return pipeline(body, passed, () => clearInterval(timer));
}
