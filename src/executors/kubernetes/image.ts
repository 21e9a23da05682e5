import type { TrainerThere } from '../cluster/files';
import { THIS_PLATFORM, type Platform } from '../package/files';
import { trainerPackage, type TrainerPackage } from '../package/package';
import { TRAINER_PROGRAM } from './container';

/** Images are of Linux; on another system, for the processor that most clusters have. */
const PLATFORM: Platform = process.platform === 'linux' ? THIS_PLATFORM : { platform: 'linux', arch: 'x64' };

/**
 * The trainer's package for an image, from this build.
 *
 * @param dist the folder of cli.cjs
 * @throws MissingError if this build has no runtime for Linux
 */
export const imagePackage = (dist: string): Promise<TrainerPackage> => trainerPackage(dist, PLATFORM);

/** The trainer is in the image: nothing is sent, and each pod compares the hash before it starts. */
export const trainerInImage = async (dist: string): Promise<TrainerThere> => ({
  program: TRAINER_PROGRAM,
  hash: (await imagePackage(dist)).hash,
});
