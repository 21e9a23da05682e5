import { AuroraError } from '../../../base/errors';
import { repoName, requireRepoId } from '../../../experiment/repo-name';
import type { Hub } from '../../../hub/hub-client';
import type { RepoInfo } from '../../../hub/types';
import { type Account, findRepository, holdsAdapter, otherFiles } from '../../../hub/upload/repository';
import { changeOf, type LocalFile } from '../../../hub/upload/upload';
import type { ExportRecord } from '../../../protocol/export';
import { exportRemarks } from '../../../protocol/inputs-words';
import { unmetLimits } from '../../../protocol/vllm-limits';
import type { BaseModel } from '../../../peft/base-model';
import type { PublishPlan } from '../../../protocol/publish';

export interface Wanted {
  /** The name as given: OWNER/NAME, or NAME in the user's own account. */
  to?: string;
  public: boolean;
  /** The run's folder name, and its experiment. */
  run: string;
  experiment: string;
}

/** The target of an adapter. */
interface Target {
  id: string;
  /** Undefined if it has to be created. */
  there?: RepoInfo;
  private: boolean;
  warnings: string[];
}

/** More than any export.json. */
const MOST_RECORD = 1_000_000;

/**
 * The repository for a run's adapter, with its present content. Writes nothing.
 *
 * @throws AuroraError 'usage' if it holds something else, or is public and nobody said so; 'gated' if it is another's
 */
export async function targetOf(hub: Hub, account: Account, wanted: Wanted): Promise<Target> {
  const { to = repoName(wanted.experiment) } = wanted;
  const id = to.includes('/') ? to : `${account.name}/${to}`;
  requireRepoId(id);
  requireOwner(id, account);
  const there = await findRepository(hub, id);
  if (!there) return { id, private: !wanted.public, warnings: [] };
  // It may have been renamed.
  requireOwner(there.id, account);
  requireAdapter(there);
  if (!there.private && !wanted.public)
    throw new AuroraError(
      'usage',
      `${there.id} is public, and adapters are published privately by default.`,
      'Add --public to publish it there, or choose another name with --to.',
    );
  const other = await recordedRun(hub, there);
  const replaces = other !== undefined && other !== wanted.run;
  if (replaces && wanted.to === undefined)
    throw new AuroraError(
      'usage',
      `${there.id} has the adapter of another run already (${other}).`,
      'Name a repository with --to: this one to replace its adapter, or another one.',
    );
  return {
    id: there.id,
    there,
    private: there.private,
    warnings: [
      ...(replaces ? [`It replaces the adapter of another run (${other}).`] : []),
      ...(there.private && wanted.public
        ? ['The repository exists and stays private: change that in its settings on the hub.']
        : []),
    ],
  };
}

function requireOwner(id: string, { name, owners }: Account): void {
  const [owner] = id.split('/');
  if (owners.some((each) => each.toLowerCase() === owner.toLowerCase())) return;
  throw new AuroraError(
    'gated',
    `${id} is not a repository of ${name}, whose token is used${owners.length > 1 ? ', nor of an organization of this account' : ''}.`,
    `Publish to ${owners.slice(0, 5).join('/…, ')}/….`,
  );
}

function requireAdapter(there: RepoInfo): void {
  const others = otherFiles(there);
  if (others.length === 0 || holdsAdapter(there)) return;
  const named = others.slice(0, 3).join(', ');
  throw new AuroraError(
    'usage',
    `${there.id} exists and holds something else than an adapter (${named}${others.length > 3 ? ', …' : ''}).`,
    'Choose another name with --to.',
  );
}

/** The run whose adapter is there, if it was published by this program. */
async function recordedRun(hub: Hub, there: RepoInfo): Promise<string | undefined> {
  const file = there.files.find(({ path }) => path === 'export.json');
  if (!file || file.size > MOST_RECORD) return undefined;
  const bytes = await hub.range({ repo: there, file }, 0, file.size);
  try {
    const { run } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { run?: unknown };
    return typeof run === 'string' ? run : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The plan to upload an exported adapter.
 *
 * @param base the model that it is for
 */
export function planOf(
  hub: Hub,
  target: Target,
  record: ExportRecord,
  base: BaseModel,
  local: readonly LocalFile[],
): PublishPlan {
  const files = local.map((file) => ({
    path: file.path,
    size: file.size,
    change: changeOf(file, target.there?.files ?? []),
  }));
  const { name, revision } = base;
  const { form, merge, metrics, drop } = record;
  return {
    kind: 'plan',
    repo: target.id,
    isNew: target.there === undefined,
    private: target.private,
    host: hub.http.endpoint.host,
    base: name,
    revision,
    run: record.run,
    step: record.step,
    exported: { form, ...(merge && { merge }), metrics, drop },
    files,
    size: files.reduce((sum, { size, change }) => sum + (change === 'unchanged' ? 0 : size), 0),
    warnings: [
      ...target.warnings,
      ...exportRemarks(record.inputs),
      ...unmetLimits(record.vllm ?? []),
      ...(revision === undefined
        ? [`The base model did not come from the hub: others find it only if "${name}" is its name there.`]
        : []),
    ],
  };
}
