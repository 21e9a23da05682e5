import { resolve, sep } from 'node:path';
import { evaluationSets } from '../../experiment/evaluation-sets';
import type { DataSpec, Experiment } from '../../experiment/experiment';
import type { InputUse } from '../../files/inputs/open';
import { matchedBy } from '../../files/pattern';
import { isFolder } from '../../files/tree';
import type { InputRole } from '../../protocol/events';
import type { NamedInput } from '../../runs/inputs';

/** Every input of an experiment: the files that it names, and others that its readers open or try to open. */
export class SeenInputs {
  private readonly files = new Map<string, NamedInput>();
  private readonly images = new Map<string, Set<string>>();
  private readonly folders: string[];

  /** @param found is called for each file before it is opened; not for an image */
  constructor(
    spec: Experiment,
    private readonly found: (file: NamedInput) => void = () => undefined,
  ) {
    for (const file of namedInputs(spec)) this.files.set(resolve(file.path), file);
    // A folder is one input, with all its files.
    this.folders = [...this.files.keys()].filter(isFolder).map((path) => path + sep);
  }

  /** Everything, each with its role and its images. */
  get all(): NamedInput[] {
    return [...this.files].map(([path, file]) => {
      const images = this.images.get(path);
      return images ? { ...file, images: [...images].sort() } : file;
    });
  }

  readonly see = (path: string, use: InputUse): void => {
    const full = resolve(path);
    if (this.files.has(full) || this.folders.some((folder) => full.startsWith(folder))) return;
    if (typeof use === 'object') return this.image(full, resolve(use.imageOf));
    // Folders that are there are only walked through.
    if (isFolder(full)) return;
    const file: NamedInput = { role: use === 'data' ? 'train' : use, path };
    this.files.set(full, file);
    this.found(file);
  };

  private image(image: string, data: string): void {
    const own = this.files.has(data) ? data : this.fileFor(data);
    const known = this.images.get(own) ?? new Set();
    this.images.set(own, known.add(image));
  }

  /** The first file of a pattern, or the folder that a file with captions is in. */
  private fileFor(data: string): string {
    const ofPattern = [...this.files].find(
      ([, { pattern }]) => pattern !== undefined && resolve(pattern) === data,
    );
    const around = this.folders.find((folder) => data.startsWith(folder))?.slice(0, -sep.length);
    const found = ofPattern?.[0] ?? around;
    if (found === undefined) throw new Error(`${data} names images, and is not among the run's data`);
    return found;
  }
}

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
