import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { diskError, writeAtomic } from '../../files/atomic';
import { installPackage } from '../package/installed-package';
import { MANIFEST, type TrainerPackage } from '../package/package';
import { TRAINER_FOLDER } from './container';
import { IMAGE_USER } from './manifest';

/** The result of `--write`: the image's folder, for `docker build`, and the manifests. */
export interface Written {
  pkg: TrainerPackage;
  /** By file name. */
  manifests: Readonly<Record<string, object>>;
}

/**
 * Writes the folder of an image and manifests, and asks the cluster nothing.
 *
 * @param target an absolute folder; files of an earlier call there are replaced
 * @returns the paths written
 * @throws AuroraError 'usage' if the folder has other files, 'disk' if it cannot be written
 */
export async function writeImage(target: string, { pkg, manifests }: Written): Promise<string[]> {
  const image = join(target, 'image');
  const trainer = join(image, TRAINER_CONTEXT);
  const other = existsSync(target) ? readdirSync(target).find((name) => !isOurs(name)) : undefined;
  if (other !== undefined)
    throw new AuroraError('usage', `${target} has other files, such as ${other}.`, 'Name a new folder.');
  try {
    mkdirSync(image, { recursive: true });
    const installed = await installPackage(pkg, image);
    rmSync(trainer, { recursive: true, force: true });
    renameSync(installed, trainer);
  } catch (e) {
    throw diskError(trainer, e);
  }
  const texts = {
    [join(image, 'Dockerfile')]: dockerfile(),
    ...Object.fromEntries(
      Object.entries(manifests).map(([name, object]) => [join(target, name), yamlText(object)]),
    ),
  };
  for (const [path, text] of Object.entries(texts)) writeAtomic(path, text, target);
  return [...Object.keys(texts), trainer];
}

const isOurs = (name: string): boolean => name === 'image' || name.endsWith('.yaml');

/** A JSON value as YAML, for people: `kubectl` reads both. Keys are those of Kubernetes' objects and of our labels. */
export const yamlText = (value: object): string => `${lines(value).join('\n')}\n`;

function lines(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => nested('- ', lines(one)));
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : entry(plain(key), one)));
  return [scalar(value)];
}

function entry(key: string, value: unknown): string[] {
  if (typeof value === 'string' && value.includes('\n')) return block(key, value);
  if (typeof value !== 'object' || value === null) return [`${key}: ${scalar(value)}`];
  const inside = lines(value);
  if (inside.length === 0) return [`${key}: ${Array.isArray(value) ? '[]' : '{}'}`];
  return [`${key}:`, ...inside.map((line) => `  ${line}`)];
}

/** Text of several lines as it is, if it ends with one line break and its first line is not indented. */
function block(key: string, text: string): string[] {
  if (!/^\S/.test(text) || !/[^\n]\n$/.test(text) || /[^\P{C}\n]/u.test(text))
    return [`${key}: ${JSON.stringify(text)}`];
  return [
    `${key}: |`,
    ...text
      .slice(0, -1)
      .split('\n')
      .map((line) => (line ? `  ${line}` : '')),
  ];
}

const nested = (first: string, [head = '{}', ...rest]: string[]): string[] => [
  first + head,
  ...rest.map((line) => (line ? ' '.repeat(first.length) + line : '')),
];

const scalar = (value: unknown): string => (typeof value === 'string' ? plain(value) : JSON.stringify(value));

/** Words that YAML reads as something other than text, and texts that look like numbers, get quotes. */
const plain = (text: string): string =>
  /^[A-Za-z/][\w./-]*$/.test(text) && !/^(?:true|false|yes|no|on|off|null|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);

/** The folder of the trainer's package beside the Dockerfile. */
const TRAINER_CONTEXT = 'trainer';

/**
 * The image of pods: Node, rsync and the trainer's package, verified by its hashes while the image is built. The runtime
 * needs Debian's C library, or one like it; `BASE` may name another image with Node, such as one with CUDA.
 */
const dockerfile = (): string => `# Written by aurora sweep --write.
ARG BASE=node:22-bookworm-slim
FROM \${BASE}
# Files go to a volume and back by rsync, if the machine that submits does not mount it.
RUN apt-get update \\
 && apt-get install --yes --no-install-recommends rsync \\
 && rm -rf /var/lib/apt/lists/*
COPY ${TRAINER_CONTEXT} ${TRAINER_FOLDER}
RUN cd ${TRAINER_FOLDER} && sha256sum --check --strict --quiet ${MANIFEST}
USER ${IMAGE_USER}:${IMAGE_USER}
`;
