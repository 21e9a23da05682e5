import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, isAbsolute, resolve, sep } from 'node:path';
import { AuroraError } from '../../base/errors';
import { hashFile } from '../../files/hash';
import type { Sending } from '../cluster/cluster';
import { clusterQuote } from '../cluster/plain-name';
import { lines } from './platform';
import type { Rsync } from './rsync';
import type { ClusterShell } from './shell';

/** A model of 100 GB over a slow line. */
const SEND_MS = 24 * 3_600_000;
/** The longest time for verifying a model of this size, which is read from a disk. */
const VERIFY_MS = 2 * 3_600_000;

/** Sends models and data to a login node, each file once, and verifies them there by their hashes. */
export class InputSender {
  /** Files, by their path here, that are there and were verified by this process. */
  private readonly sent = new Set<string>();

  /** @param there the path on the cluster of a path here */
  constructor(
    private readonly shell: ClusterShell,
    private readonly rsync: Rsync,
    private readonly folder: string,
    private readonly there: (path: string) => string,
  ) {}

  /**
   * Files that an earlier process has sent are sent again only if they are damaged there. Links stay links.
   *
   * @param files absolute paths that exist
   * @param sending called with the amount that is sent, at the beginning and now and then; never if all is there
   * @throws AuroraError 'network' or 'disk' as `Rsync`, 'disk' if a file is damaged there again
   */
  async send(files: readonly string[], sending?: (now: Sending) => void): Promise<void> {
    const known = new Map<string, string | undefined>();
    const links = new Map<string, string>();
    const reals = new Set<string>();
    for (const file of files) {
      if (this.sent.has(file)) continue;
      const found = followLinks(file, known);
      reals.add(found.real);
      for (const [link, target] of found.links) links.set(link, target);
    }
    const missing = [...reals].filter((file) => !this.sent.has(file));
    lines(missing);
    await this.copy(missing, [], sending);
    await this.makeLinks(links);
    const sums = await sumsOf(missing);
    const damaged = await this.damaged(sums);
    if (damaged.length > 0) {
      // Their size and time were right, so only their content shows it.
      await this.copy(damaged, ['--checksum']);
      const [again] = await this.damaged(new Map(damaged.map((file) => [file, sums.get(file)!])));
      if (again !== undefined) throw notIntact(this.shell, this.there(again));
    }
    for (const file of [...files, ...reals]) this.sent.add(file);
  }

  private async copy(
    files: readonly string[],
    options: readonly string[] = [],
    sending?: (now: Sending) => void,
  ): Promise<void> {
    if (files.length === 0) return;
    const copy = {
      from: '',
      to: { there: this.folder },
      entries: files.map((file) => file.slice(1)),
      // A large file that was interrupted is continued.
      options: ['--partial-dir=.aurora-partial', ...options],
      timeoutMs: SEND_MS,
    };
    const all = sending && (await this.rsync.missing(copy));
    const tell = all && all.files > 0 ? (sent: number) => sending({ ...all, sent }) : undefined;
    tell?.(0);
    await this.rsync.copy({ ...copy, progress: tell });
  }

  private async makeLinks(links: ReadonlyMap<string, string>): Promise<void> {
    if (links.size === 0) return;
    const made = [...links].flatMap(([link, target]) => [
      this.there(link),
      // An absolute one would lead out of the folder.
      isAbsolute(target) ? this.there(resolve(dirname(link), target)) : target,
    ]);
    const script = `while IFS= read -r link && IFS= read -r target; do
  [ "$(readlink "$link")" = "$target" ] && continue
  mkdir -p "$(dirname "$link")" && ln -sfn "$target" "$link" || exit 1
done`;
    const { code, stderr } = await this.shell.run(script, { input: lines(made), timeoutMs: VERIFY_MS });
    if (code === 0) return;
    throw new AuroraError(
      'disk',
      `Links could not be made in ${this.folder} on ${this.shell.name}: ${stderr.trim().split('\n').at(-1)}.`,
      'It must be in a folder on the cluster that you may write to.',
    );
  }

  /** The files that differ there from those here. */
  private async damaged(sums: ReadonlyMap<string, string>): Promise<string[]> {
    if (sums.size === 0) return [];
    const input = [...sums].map(([file, sha256]) => `${sha256}  .${file}\n`).join('');
    const { stdout } = await this.shell.run(
      `cd ${clusterQuote(this.folder)} && LC_ALL=C sha256sum -c - 2>/dev/null`,
      { input, timeoutMs: VERIFY_MS },
    );
    const whole = new Set(stdout.split('\n').flatMap((line) => /^\.(.*): OK$/.exec(line)?.[1] ?? []));
    return [...sums.keys()].filter((file) => !whole.has(file));
  }
}

async function sumsOf(files: readonly string[]): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  for (const file of files) sums.set(file, (await hashFile(file)).sha256);
  return sums;
}

const notIntact = (shell: ClusterShell, path: string): AuroraError =>
  new AuroraError(
    'disk',
    `${path} on ${shell.name} is not what was sent.`,
    'Something changes the file there, or its disk is damaged. If it was changed here while it was sent, run the sweep again.',
  );

/** A file as the file system has it: its real path, and the links that lead to it. */
export interface LinkedPath {
  real: string;
  /** The links passed, each an absolute path, with their targets as written. */
  links: Map<string, string>;
}

/** The most links that Linux follows. */
const MOST_LINKS = 40;

/**
 * Follows a path as the system does. The hub's cache has links in place of files: the names that a path leads through
 * are part of a model's identity.
 *
 * @param known the targets of paths that are links, shared by the calls for many files in the same folders
 * @throws Error (ENOENT and so on) as `lstat`, or if links lead in a circle
 */
function followLinks(path: string, known = new Map<string, string | undefined>()): LinkedPath {
  const links = new Map<string, string>();
  let done: string = sep;
  let left = parts(path);
  while (left.length > 0) {
    const [next, ...others] = left;
    const at = resolve(done, next!);
    if (!known.has(at)) known.set(at, lstatSync(at).isSymbolicLink() ? readlinkSync(at) : undefined);
    const target = known.get(at);
    if (target === undefined) {
      done = at;
      left = others;
      continue;
    }
    links.set(at, target);
    if (links.size > MOST_LINKS) throw new Error(`${path} leads through too many links`);
    done = sep;
    left = [...parts(resolve(dirname(at), target)), ...others];
  }
  return { real: done, links };
}

const parts = (path: string): string[] =>
  resolve(path)
    .split(sep)
    .filter((part) => part !== '');
