import { evaluationSets } from '../../experiment/evaluation-sets';
import type { DataSpec, Experiment } from '../../experiment/experiment';
import { matchedBy } from '../../files/pattern';
import type { InputRole } from '../../protocol/events';
import type { NamedInput } from '../../runs/inputs';

/** The files that an experiment names: its model, and every file of its data. Readers find the files beside them. */
export function namedInputs({ model, data }: Experiment): NamedInput[] {
  return [{ role: 'model', path: model.path }, ...dataPaths(data)];
}

/** The files of the data, also of patterns. A file that has several roles has the first of them. */
function dataPaths(data: DataSpec): NamedInput[] {
  const named: NamedInput[] = [
    { role: 'train', path: data.train },
    ...(data.classImages === undefined ? [] : [{ role: 'train', path: data.classImages } as const]),
    ...(data.validation === undefined ? [] : [{ role: 'validation', path: data.validation } as const]),
    ...scoredPaths(data),
  ];
  const paths = new Map<string, NamedInput>();
  for (const { role, path } of named)
    for (const file of matchedBy(path))
      if (!paths.has(file)) paths.set(file, { role, path: file, ...(file !== path && { pattern: path }) });
  return [...paths.values()];
}

/** A file that is also trained or validated on is that before all. */
function scoredPaths(data: DataSpec): NamedInput[] {
  const roles = new Map<string, InputRole>();
  for (const { name, path } of evaluationSets(data))
    if (path !== data.train && path !== data.validation && !roles.has(path))
      roles.set(path, name === undefined ? 'test' : 'evaluation');
  return [...roles].map(([path, role]) => ({ role, path }));
}
