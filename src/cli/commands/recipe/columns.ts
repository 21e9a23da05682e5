import { basename } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { describedColumns } from '../../../data/table/described-columns';
import type { Layout } from '../../../recipes/data/kind';

/** Names of the image column in data sets of the hub. */
const IMAGE = ['image', 'img'];

/**
 * A layout with the columns of its training file: as published, or as the file says which column has labels.
 *
 * @param set settings from the command line, which decide
 * @throws AuroraError 'data' if that is not clear
 */
export async function withColumns(
  layout: Layout,
  train: string,
  set: ReadonlyMap<string, unknown>,
): Promise<Layout> {
  if (!layout.columnsInFile) return layout;
  const { columns, labelled } = await describedColumns(train);
  const chosen = (key: string) => {
    const value = set.get(`data.${key}`);
    return typeof value === 'string' ? value : undefined;
  };
  const image = chosen('imageColumn') ?? columns.find((name) => IMAGE.includes(name));
  // If there are several, such as the breed and the species of a pet, the one with this name.
  const label =
    chosen('labelColumn') ?? (labelled.length === 1 ? labelled[0] : labelled.find((c) => c === 'label'));
  if (image !== undefined && label !== undefined)
    return { ...layout, columns: { image, label }, source: `${basename(train)} itself` };
  throw new AuroraError(
    'data',
    `${train} does not say which column has the ${image === undefined ? 'images' : 'labels'}; it has ${columns.join(', ')}.`,
    'Name them with --set data.imageColumn=COLUMN and --set data.labelColumn=COLUMN.',
  );
}
