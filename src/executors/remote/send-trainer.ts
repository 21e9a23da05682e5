import { append } from '../../base/gathered';
import { AuroraError } from '../../base/errors';
import { clusterQuote } from '../cluster/plain-name';
import { IN_USE } from '../../files/in-use';
import type { TrainerThere } from '../cluster/cluster';
import { MANIFEST, nodeIn, type TrainerPackage } from '../package/package';
import { UNUSED_DAYS } from '../package/installed-package';
import type { Rsync } from './rsync';
import type { ClusterShell } from './shell';

/** 200 MB over a slow line. */
const SEND_MS = 60 * 60_000;
const VERIFY_MS = 10 * 60_000;
const ATTEMPTS = 3;

/**
 * Puts the trainer's package in `<trainers>/<hash>` on a login node unless it is there, and verifies each file there by
 * its hash. A package gets its final name once it is verified; an interrupted one is continued the next time.
 *
 * @param trainers the folder of packages on the cluster
 * @throws AuroraError 'network' if the node cannot be reached, 'disk' if it is full, or files are damaged
 */
export async function sendTrainer(
  pkg: TrainerPackage,
  { shell, rsync, trainers }: { shell: ClusterShell; rsync: Rsync; trainers: string },
): Promise<TrainerThere> {
  const folder = `${trainers}/${pkg.hash}`;
  const partial = `${trainers}/.${pkg.hash}.partial`;
  const node = nodeIn(pkg);
  const there: TrainerThere = {
    program: `${folder}/cli.cjs`,
    hash: pkg.hash,
    node: node && `${folder}/${node}`,
  };
  for (let attempt = 1; ; attempt++) {
    const { exists, damaged } = await look(shell, pkg, folder);
    if (exists && damaged.length === 0) {
      await finish(shell, trainers, pkg.hash);
      return there;
    }
    if (attempt > ATTEMPTS) throw notIntact(shell, folder, damaged[0]!);
    // This is safe if another process sends the package too: it writes the same bytes.
    const target = exists ? folder : partial;
    const made = await shell.run(`mkdir -p ${q(`${target}/${IN_USE}`)}`);
    if (made.code !== 0) throw notWritable(shell, target, made.stderr);
    try {
      await send(pkg, rsync, target, attempt > 1 || exists);
    } catch (e) {
      // Another process may have finished, and moved the folder away.
      if (exists || !(await look(shell, pkg, folder)).exists) throw e;
      continue;
    }
    if (exists) continue;
    const sent = await look(shell, pkg, partial);
    if (sent.damaged.length === 0) await place(shell, pkg, partial, folder);
  }
}

const q = clusterQuote;

/** Sends from several folders here: one may hold the programs, and another one the libraries. */
async function send(pkg: TrainerPackage, rsync: Rsync, to: string, compare: boolean): Promise<void> {
  const roots = new Map<string, string[]>();
  for (const { source, target } of pkg.files) {
    const root = source.slice(0, -target.length - 1);
    append(roots, root, target);
  }
  // Existing files may differ although their size and time are equal.
  const options = compare ? ['--checksum'] : [];
  for (const [from, entries] of roots)
    await rsync.copy({ from, to: { there: to }, entries, options, timeoutMs: SEND_MS });
}

/** The report of sha256sum on the files in a folder. */
async function look(
  shell: ClusterShell,
  pkg: TrainerPackage,
  folder: string,
): Promise<{ exists: boolean; damaged: string[] }> {
  const script = `cd ${q(folder)} 2>/dev/null || exit 3
command -v sha256sum >/dev/null || exit 4
LC_ALL=C sha256sum -c - 2>/dev/null
exit 0`;
  const { code, stdout } = await shell.run(script, { input: pkg.manifest, timeoutMs: VERIFY_MS });
  if (code === 4)
    throw new AuroraError(
      'network',
      `${shell.name} has no sha256sum, with which the trainer is verified there.`,
      'Install coreutils on it, or name another login node.',
    );
  const whole = new Set(stdout.split('\n').flatMap((line) => /^(.*): OK$/.exec(line)?.[1] ?? []));
  const damaged = pkg.files.map(({ target }) => target).filter((target) => !whole.has(target));
  return { exists: code === 0, damaged };
}

/** Another process may have been faster; then its folder stays. */
async function place(shell: ClusterShell, pkg: TrainerPackage, from: string, to: string): Promise<void> {
  const { code, stderr } = await shell.run(
    `[ -e ${q(to)} ] || { cd ${q(from)} && cat > ${MANIFEST} && mv ${q(from)} ${q(to)}; } || [ -e ${q(to)} ]`,
    { input: pkg.manifest },
  );
  if (code !== 0) throw notWritable(shell, to, stderr);
}

/** Notes the use, and removes packages from which nothing was submitted or started for long (`removeUnused`). */
async function finish(shell: ClusterShell, trainers: string, hash: string): Promise<void> {
  const name = Array<string>(64).fill('[0-9a-f]').join('');
  await shell.run(`cd ${q(trainers)} || exit 0
mkdir -p ${hash}/${IN_USE} && touch ${hash}/${IN_USE}
for pkg in ${name}; do
  [ "$pkg" = ${hash} ] && continue
  [ -n "$(find "$pkg/${IN_USE}" -prune -mtime +${UNUSED_DAYS} 2>/dev/null)" ] || continue
  rm -rf "./$pkg"
done
for partial in .*.partial; do
  [ -n "$(find "$partial" -prune -mtime +${UNUSED_DAYS} 2>/dev/null)" ] && rm -rf "./$partial"
done
exit 0`);
}

const notIntact = (shell: ClusterShell, folder: string, file: string): AuroraError =>
  new AuroraError(
    'disk',
    `The trainer could not be copied to ${folder} on ${shell.name} intact: ${file} is not what was sent.`,
    'Check that disk: it may be full, or damaged.',
  );

const notWritable = (shell: ClusterShell, folder: string, stderr: string): AuroraError =>
  new AuroraError(
    'disk',
    `${folder} could not be written on ${shell.name}: ${stderr.trim().split('\n').at(-1)}.`,
    'Check cluster.slurm.folder: an absolute path on the cluster that you may write to, and that its compute nodes share.',
  );
