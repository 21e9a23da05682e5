import { dirname, join } from 'node:path';
import { readInput } from '../../files/inputs/open';

/**
 * The size that the preprocessor_config.json beside a config.json makes images of; undefined if it is missing or does
 * not state it. Mistakes in it are reported where images are prepared.
 */
export function preparedSize(configPath: string): [height: number, width: number] | undefined {
  let settings: unknown;
  try {
    const path = join(dirname(configPath), 'preprocessor_config.json');
    settings = JSON.parse(readInput(path, 'preprocessor').toString('utf8'));
  } catch {
    return undefined;
  }
  const own = isRecord(settings) ? settings : {};
  return sides(own.do_center_crop === false ? own.size : (own.crop_size ?? own.size)) ?? square(own);
}

/** ConvNeXT's processor makes a square of its only setting. */
function square({ size, image_processor_type, feature_extractor_type }: Record<string, unknown>) {
  const isSquare = /^ConvNext/.test(String(image_processor_type ?? feature_extractor_type));
  return isSquare && isRecord(size) ? sides(size.shortest_edge) : undefined;
}

function sides(value: unknown): [number, number] | undefined {
  const { height, width } = isRecord(value) ? value : { height: value, width: value };
  return isSide(height) && isSide(width) ? [height, width] : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const isSide = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) < 2 ** 15;
