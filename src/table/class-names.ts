import { own } from '../base/names';

/**
 * The names of labels that are stored as numbers, by column: Parquet files of the hub's data sets describe their columns
 * in the value of the key `huggingface` (datasets, Features.to_dict).
 *
 * @param json that value
 */
export function classNames(json: string | undefined): Map<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  const features = json === undefined ? undefined : featuresIn(json);
  for (const column of Object.keys(features ?? {})) {
    const found = namesOf(own(features!, column));
    if (found) names.set(column, found);
  }
  return names;
}

function featuresIn(json: string): Record<string, unknown> | undefined {
  try {
    const { info } = JSON.parse(json) as { info?: { features?: unknown } };
    return isObject(info?.features) ? info.features : undefined;
  } catch {
    return undefined;
  }
}

/** The names of a ClassLabel, or of a list of them: {"feature": …} or, in older versions, [ … ]. */
function namesOf(feature: unknown): readonly string[] | undefined {
  if (Array.isArray(feature)) return namesOf(feature[0]);
  if (!isObject(feature)) return undefined;
  const { _type: type, names, feature: inner } = feature;
  if (type === 'ClassLabel')
    return Array.isArray(names) && names.every((n) => typeof n === 'string') ? names : undefined;
  return namesOf(inner);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
