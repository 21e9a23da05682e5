import type { TaskColumns } from '../../experiment/tasks/columns';

/**
 * The meaning of selected columns for several labels per text: a column for each label if all hold 0 and 1, or the one
 * with all labels. Otherwise the first column that fits neither.
 *
 * @param flags the columns of 0 and 1
 */
export function labelColumns(
  selected: readonly string[],
  flags: readonly string[],
): Pick<TaskColumns, 'label' | 'labels'> | { unlike: string } {
  const unlike = selected.find((name) => !flags.includes(name));
  if (unlike === undefined) return { labels: [...selected] };
  return selected.length === 1 ? { label: unlike } : { unlike };
}
