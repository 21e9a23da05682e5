import { numberIn } from '../../../base/csv';
import type { Column } from '../../../table/head';

const NAMED = /(^|[\s_-])(id|uuid|guid|idx|index|key|row|number|url|date|time|timestamp)$/i;
/** "exampleId", "rowIndex" */
const CAMEL = /[a-z](Id|ID|Uuid|Index|Key|Url)$/;
/** Characters that occur in codes, paths, dates and names of packages, and not in single words. */
const CODE = /[\d_./:@-]/;

/** True if a column identifies its row: by its name, or by numbers or different codes as values. */
export function isIdentifier({ name, values, lists }: Column): boolean {
  if (lists || values.length === 0) return false;
  if (NAMED.test(name.trim()) || CAMEL.test(name)) return values.every((v) => !/\s\S+\s/.test(v.trim()));
  if (values.every((v) => numberIn(v) !== undefined)) return true;
  return (
    values.length > 1 &&
    new Set(values).size === values.length &&
    values.every((v) => !/\s/.test(v.trim()) && CODE.test(v))
  );
}
