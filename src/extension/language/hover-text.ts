import { findNodeAtOffset, getNodePath, type JSONPath } from 'jsonc-parser';
import { uselessLayers } from '../../adapters/budget/budget';
import { chooseLayers } from '../../adapters/targets/select';
import { AuroraError } from '../../base/errors';
import { leftOutText } from '../../protocol/left-out';
import { parseHubReference } from '../../experiment/hub-reference';
import { hubCacheFolder, snapshotPath } from '../../files/hub-cache';
import { NOT_DOWNLOADED } from './checks/check-files';
import type { DataHead } from '../../table/head';
import type { Analysis } from './analysis';
import { columnFacts, headOf, namesColumn } from './data-columns';
import type { Span } from '../../runs/experiment/experiment-text';
import { isSweepKey, schemaAt } from './schema-walk';
import { isHeadAlone } from '../../experiment/methods';
import { count } from '../../base/number-text';
import { t } from '../../base/l10n';

/** Maximum number of lines in a list of modules. */
const LISTED = 16;

/**
 * A hover's addition to the schema's description: a key's default, the modules that a target matches, the content of a
 * column or a model. Plain text, one fact per line; undefined if there is nothing to add.
 */
export function hoverAt(analysis: Analysis, offset: number): { span: Span; lines: string[] } | undefined {
  const { root } = analysis.doc;
  const node = root && findNodeAtOffset(root, offset);
  if (!node || node.type === 'object') return undefined;
  const path = getNodePath(node);
  const onKey = node.parent?.type === 'property' && node.parent.children![0] === node;
  const lines = [
    ...(onKey && isSweepKey(path) ? settingLines(analysis, String(path.at(-1))) : []),
    ...(onKey ? defaultLines(analysis, path) : []),
    ...(onKey && path[1] !== 'targetModules' ? [] : valueLines(analysis, path)),
  ];
  return lines.length > 0 ? { span: { offset: node.offset, length: node.length }, lines } : undefined;
}

/** For a setting that a sweep varies: the schema's description of the setting itself. */
function settingLines(analysis: Analysis, key: string): string[] {
  const path = key.split('.');
  const description = schemaAt(path, analysis.method)?.description;
  return [...(description === undefined ? [] : [description]), ...defaultLines(analysis, path)];
}

function defaultLines({ method }: Analysis, path: JSONPath): string[] {
  const value = schemaAt(path, method)?.default;
  if (value === undefined || (typeof value === 'object' && !Array.isArray(value))) return [];
  return [t('Default: {0}', JSON.stringify(value))];
}

function valueLines(analysis: Analysis, path: JSONPath): string[] {
  const [part, key, index] = path;
  if (part === 'adapter' && (key === 'targetModules' || key === 'excludeModules'))
    return moduleLines(analysis, key, index);
  const hub = hubLines(analysis, path);
  if (part === 'model' && key === 'path') return [...hub, ...modelLines(analysis)];
  if (hub.length > 0) return hub;
  if (namesColumn(path)) return columnLines(headOf(analysis.heads, path), analysis.doc.string(...path));
  return [];
}

function moduleLines(analysis: Analysis, key: string, index: unknown): string[] {
  const { doc, model, adapter, layers } = analysis;
  if (model.state !== 'known' || !adapter || isHeadAlone(adapter)) return [];
  const entry = typeof index === 'number' ? doc.string('adapter', key, index) : undefined;
  const whole = key === 'targetModules' ? adapter.targetModules : adapter.excludeModules;
  if (whole === undefined) return [];
  // One entry alone; for the whole setting, with the modules that other entries exclude.
  const spec =
    entry !== undefined
      ? { ...(key === 'targetModules' ? adapter : {}), targetModules: [entry] }
      : key === 'targetModules'
        ? adapter
        : { targetModules: whole };
  try {
    const choice = chooseLayers(
      layers.map((l) => l.path),
      spec,
      uselessLayers(layers),
    );
    const matched = new Set(choice.matched);
    const chosen = layers.filter((l) => matched.has(l.path));
    const shown = chosen.slice(0, LISTED).map((l) => `    ${l.path}  ${l.outFeatures} × ${l.inFeatures}`);
    const more = chosen.length - shown.length;
    if (chosen.length === 0) return [t('Matches none of {0} linear layers.', layers.length)];
    const title =
      key === 'targetModules'
        ? t('Matches {0} of {1} linear layers (out × in):', chosen.length, layers.length)
        : t('Excludes {0} of {1} linear layers (out × in):', chosen.length, layers.length);
    return [
      title,
      ...shown,
      ...(more > 0 ? [`    ${t('and {0} more', more)}`] : []),
      ...(choice.leftOut.length > 0 ? [t('Excluded: {0}', leftOutText(choice.leftOut))] : []),
    ];
  } catch (e) {
    if (e instanceof AuroraError) return [e.message];
    throw e;
  }
}

/** The place of the files of a reference to the hub. */
function hubLines({ doc, findings }: Analysis, path: JSONPath): string[] {
  const text = doc.string(...path);
  const ref = text === undefined ? undefined : parseHubReference(text);
  if (!ref) return [];
  const name = `${ref.repo}@${ref.revision.slice(0, 7)}`;
  const { offset } = doc.span(...path);
  const missing = findings.some((finding) => finding.code === NOT_DOWNLOADED && finding.offset === offset);
  return [
    !missing
      ? t('{0} on the Hugging Face hub, in the cache: {1}', name, snapshotPath(hubCacheFolder(), ref))
      : t('{0} on the Hugging Face hub, not downloaded to this machine.', name),
  ];
}

function modelLines({ model }: Analysis): string[] {
  if (model.state === 'reading') return [t('Reading the model…')];
  if (model.state === 'failed') return [model.error.message];
  if (model.state !== 'known') return [];
  const { parameters, opset, producer, layers, inputs, outputs } = model.summary;
  const shapes = (values: typeof inputs) =>
    values.map((v) => `    ${v.name}  ${v.type} [${v.shape?.map((d) => d ?? '?').join(', ') ?? '?'}]`);
  return [
    t(
      '{0} parameters, opset {1}{2}; {3} linear layers can be adapted.',
      count(parameters),
      opset,
      producer ? `, ${producer}` : '',
      layers.length,
    ),
    t('Inputs:'),
    ...shapes(inputs),
    t('Outputs:'),
    ...shapes(outputs),
  ];
}

function columnLines(head: DataHead | undefined, name: string | undefined): string[] {
  const column = head?.columns.find((c) => c.name === name);
  if (!head || !column) return [];
  const { distinct, samples } = columnFacts(column);
  return [
    t('{0} different values in the first {1} rows, for example:', distinct, head.rows),
    ...samples.map((s) => `    ${s}`),
  ];
}
