import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hub } from '../../../hub/client';
import { changeOf, type LocalFile } from '../../../hub/upload/upload';
import type { ExportRecord } from '../../../protocol/export';
import type { PublishPlan } from '../../../protocol/hub/publish';
import type { Target } from './target';

/** The plan to upload an exported adapter. */
export function planOf(
  hub: Hub,
  target: Target,
  { folder, record }: { folder: string; record: ExportRecord },
  local: readonly LocalFile[],
): PublishPlan {
  const files = local.map((file) => ({
    path: file.path,
    size: file.size,
    change: changeOf(file, target.there?.files ?? []),
  }));
  const { base, revision } = baseIn(folder);
  const { changed = [], notes = [] } = record.inputs ?? {};
  return {
    kind: 'plan',
    repo: target.id,
    isNew: target.there === undefined,
    private: target.private,
    host: hub.http.endpoint.host,
    base,
    revision,
    run: record.run,
    step: record.step,
    files,
    size: files.reduce((sum, { size, change }) => sum + (change === 'unchanged' ? 0 : size), 0),
    warnings: [
      ...target.warnings,
      ...changed,
      ...(changed.length > 0 ? ['These files and metrics are not those of the trained model.'] : []),
      ...notes,
      ...(revision === undefined
        ? [`The base model did not come from the hub: others find it only if "${base}" is its name there.`]
        : []),
    ],
  };
}

/** The base model as PEFT reads it. */
function baseIn(folder: string): { base: string; revision?: string } {
  const text = readFileSync(join(folder, 'adapter_config.json'), 'utf8');
  const config = JSON.parse(text) as { base_model_name_or_path: string; revision?: string };
  return { base: config.base_model_name_or_path, revision: config.revision };
}
