import type sharp from 'sharp';
import { AuroraError } from '../../base/errors';

/**
 * sharp, which has native parts: loaded when the first image is read, so that everything else works without it.
 *
 * @throws AuroraError 'failed' if this platform has none
 */
export async function loadSharp(): Promise<typeof sharp> {
  const { default: loaded } = await import('sharp').catch((cause: Error) => {
    throw missing(cause);
  });
  // An image is read once in an epoch: a cache would only keep memory.
  loaded.cache(false);
  return loaded;
}

/** The end of the message is left out: advice for npm projects, or the modules that import it. */
function missing(cause: Error): AuroraError {
  const why = cause.message
    .replace(/\n(Possible solutions|Require stack):[\s\S]*/, '')
    .replaceAll('\n', ': ');
  return new AuroraError(
    'failed',
    `Images cannot be read on ${process.platform}-${process.arch}: the package sharp could not be loaded (${why}).`,
    'Install the build of AuroRA Lab for this platform, or in the repository run npm ci. Text data do not need sharp.',
    { cause },
  );
}
