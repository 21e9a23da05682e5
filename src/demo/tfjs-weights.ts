import { elementCount } from '../graph/model';
import { AuroraError } from '../base/errors';

/** The files of a package, by their path in it. */
export type PackageFiles = ReadonlyMap<string, Uint8Array>;

export interface Weight {
  shape: number[];
  data: Float32Array;
}

interface Manifest {
  weightsManifest: { paths: string[]; weights: { name: string; dtype: string; shape: number[] }[] }[];
}

/** A file of the package, or an error that names the missing file. */
export function packageFile(files: PackageFiles, path: string): Uint8Array {
  const file = files.get(path);
  if (!file)
    throw new AuroraError(
      'model',
      `The package has no file ${path}.`,
      'Install the pinned version of the package.',
    );
  return file;
}

/**
 * The float weights of a TensorFlow.js graph model by name: the manifest lists them in storage order, 4 bytes per
 * element for every type, in the concatenated shards.
 * @param path model.json's path in the package
 */
export function readTfjsWeights(files: PackageFiles, path: string): Map<string, Weight> {
  const { weightsManifest } = JSON.parse(Buffer.from(packageFile(files, path)).toString()) as Manifest;
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const weights = new Map<string, Weight>();
  for (const group of weightsManifest) {
    const bytes = Buffer.concat(group.paths.map((shard) => packageFile(files, folder + shard)));
    let offset = 0;
    for (const { name, dtype, shape } of group.weights) {
      const length = 4 * elementCount(shape);
      // Copied, since a float array must start at a multiple of 4.
      const own = Uint8Array.from(bytes.subarray(offset, offset + length));
      if (dtype === 'float32') weights.set(name, { shape, data: new Float32Array(own.buffer) });
      offset += length;
    }
  }
  return weights;
}
