import { uselessLayers } from '../../../adapters/budget/budget';
import { chooseLayers, largestRank } from '../../../adapters/targets/select';
import { entriesFor, fromPattern, matchTargets, nearestPaths } from '../../../adapters/targets/targets';
import type { TaskLayer } from '../../../adapters/task-output';
import type { LayerSummary, ModelSummary } from '../../../graph/summary';
import { MOST_PROBLEMS } from '../../../runs/experiment/experiment-text';
import { AuroraError } from '../../../base/errors';
import { aboutMethod, isRankedByLayer, type TrainedSpec } from '../../../experiment/methods';
import { nearest } from '../../../base/nearest';
import { t } from '../../../base/l10n';
import type { ExperimentText } from '../../../runs/experiment/experiment-text';
import type { Finding, Fix } from '../finding';

/** Maximum number of layers in a message or a title. */
const LISTED = 20;

/** Maximum number of names compared with all wrong entries together. A comparison takes a few microseconds. */
const COMPARED = 20_000;

/** Settings that do not match the model: its output's name, targets that match nothing, ranks that are too large. */
export function modelFindings(
  doc: ExperimentText,
  model: ModelSummary,
  layers: readonly TaskLayer[],
  adapter: TrainedSpec | undefined,
): Finding[] {
  return [
    ...outputFindings(doc, model),
    ...ruleFindings(doc, model, layers, adapter),
    ...(adapter ? adapterFindings(doc, layers, adapter) : []),
  ];
}

function outputFindings(doc: ExperimentText, model: ModelSummary): Finding[] {
  const output = doc.string('model', 'output');
  const names = model.outputs.map((o) => o.name);
  if (output === undefined || names.includes(output)) return [];
  const span = doc.span('model', 'output');
  const likely = nearest(output, names);
  return [
    {
      ...span,
      severity: 'error',
      code: 'output-unknown',
      message: t('The model has no output "{0}"; it has {1}.', output, names.join(', ')),
      fixes: names.map((name) => ({
        ...span,
        title: t('Use the output "{0}"', name),
        text: JSON.stringify(name),
        preferred: name === likely,
      })),
    },
  ];
}

function ruleFindings(
  doc: ExperimentText,
  { missingRules, blocked, outputs }: ModelSummary,
  layers: readonly TaskLayer[],
  adapter: TrainedSpec | undefined,
): Finding[] {
  if (missingRules.length === 0) return [];
  const operators = missingRules.map((m) => `${m.operator} (${m.nodes[0]})`).join(', ');
  // With several outputs, the one that is trained may not depend on them.
  const below =
    adapter && outputs.length === 1 ? chosenOf(layers, adapter).filter((path) => blocked.includes(path)) : [];
  const like = { ...doc.span('model', 'path'), code: 'operator-without-gradient', fixes: [] };
  if (below.length === 0)
    return [
      {
        ...like,
        severity: 'warning',
        message: t(
          'Gradients cannot pass through these operators, so adapters below them cannot be trained: {0}.',
          operators,
        ),
      },
    ];
  const named = below.slice(0, LISTED).join(', ') + (below.length > LISTED ? ', …' : '');
  const message = t(
    'Gradients cannot pass through {0}, and these adapted layers are below: {1}. Leave them out with adapter.excludeModules or layersToTransform.',
    operators,
    named,
  );
  return [{ ...like, severity: 'error', message }];
}

/** The paths that get an adapter; none if the targets are wrong, which is reported separately. */
function chosenOf(layers: readonly TaskLayer[], adapter: TrainedSpec): readonly string[] {
  if (aboutMethod(adapter.method).onEmbedding) return [];
  try {
    return chooseLayers(
      layers.map((l) => l.path),
      adapter,
      uselessLayers(layers),
    ).matched;
  } catch (e) {
    if (e instanceof AuroraError) return [];
    throw e;
  }
}

function adapterFindings(doc: ExperimentText, layers: readonly TaskLayer[], adapter: TrainedSpec): Finding[] {
  // The summary of a model has linear layers only.
  if (aboutMethod(adapter.method).onEmbedding) return [];
  const paths = layers.map((l) => l.path);
  try {
    const { matched, unmatched, unreached } = chooseLayers(paths, adapter, uselessLayers(layers));
    const isMatched = new Set(matched);
    const chosen = layers.filter((l) => isMatched.has(l.path));
    if (matched.length === 0 && !Array.isArray(adapter.targetModules))
      return [nothingMatched(doc, adapter.targetModules, paths)];
    return [
      ...unmatchedEntries(doc, adapter, unmatched, matched.length, paths),
      ...unreachedFindings(doc, adapter, unreached),
      ...excludedFindings(doc, adapter, paths),
      ...rankFindings(doc, adapter, chosen),
    ];
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    // An invalid expression: the message starts with its key.
    const key = /^adapter\.(\w+)/.exec(e.message)?.[1] ?? 'targetModules';
    const span = doc.span('adapter', key);
    return [{ ...span, severity: 'error', code: 'expression-invalid', message: e.message, fixes: [] }];
  }
}

function nothingMatched(doc: ExperimentText, target: string, paths: string[]): Finding {
  const message = t(
    'The expression "{0}" does not match the whole path of any of the {1} linear layers. Nearest: {2}.',
    short(target),
    paths.length,
    nearestPaths(target, paths).join(', '),
  );
  const span = doc.span('adapter', 'targetModules');
  const ending = `.*\\.${target}`;
  const asList = matchTargets(paths, { targetModules: [target] }).matched.length > 0;
  const fixes = doc.node('adapter', 'targetModules')
    ? [
        ...(asList
          ? [
              {
                ...span,
                title: t('Convert to a List of Path Endings'),
                text: JSON.stringify([target]),
                preferred: true,
              },
            ]
          : []),
        ...(asList ? [{ ...span, title: t('Match the end of a path'), text: JSON.stringify(ending) }] : []),
      ]
    : [];
  return { ...span, severity: 'error', code: 'target-unmatched', message, fixes };
}

function unmatchedEntries(
  doc: ExperimentText,
  adapter: TrainedSpec,
  unmatched: readonly string[],
  matched: number,
  paths: string[],
): Finding[] {
  const list = Array.isArray(adapter.targetModules) ? adapter.targetModules : [];
  const places = placesOf(list);
  const leftOut = new Set(paths.flatMap(entriesFor));
  const severity = matched === 0 ? 'error' : 'warning';
  const code = 'target-unmatched';
  const compared = Math.max(1, Math.floor(COMPARED / Math.max(1, paths.length)));
  const findings = unmatched.slice(0, MOST_PROBLEMS).map((entry, i): Finding => {
    // Defaults do not appear in the text.
    const node = doc.node('adapter', 'targetModules', places.get(entry)!);
    const span = node ? { offset: node.offset, length: node.length } : doc.span('adapter', 'targetModules');
    const shown = short(entry);
    if (leftOut.has(entry)) {
      const message = t(
        '"{0}" matches modules, but excludeModules or layersToTransform exclude all of them.',
        shown,
      );
      return { ...span, severity, code, message, fixes: [] };
    }
    const near = i < compared ? nearestEndings(entry, paths) : [];
    const nearWords = near.length > 0 ? ` ${t('Nearest: {0}.', near.join(', '))}` : '';
    const message = t('"{0}" matches no module of the model.{1}', shown, nearWords);
    const replaceWith = (name: string, n: number): Fix => ({
      ...span,
      title: t('Replace with "{0}"', name),
      text: JSON.stringify(name),
      preferred: n === 0,
    });
    return { ...span, severity, code, message, fixes: node ? near.map(replaceWith) : [] };
  });
  return [...findings, ...theRest(doc, 'targetModules', unmatched.length, { severity, code })];
}

/** The first place of each entry of a list. */
const placesOf = (list: readonly string[]): Map<string, number> =>
  new Map(list.map((entry, i): [string, number] => [entry, i]).reverse());

/** More of a name does not help, and would fill the message. */
const short = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);

/** A diagnostic at the key, for all that are not listed. */
function theRest(
  doc: ExperimentText,
  key: 'targetModules' | 'excludeModules',
  count: number,
  like: Pick<Finding, 'severity' | 'code'>,
): Finding[] {
  if (count <= MOST_PROBLEMS) return [];
  const node = doc.node('adapter', key);
  const span = node ? doc.keySpan(node) : doc.span('adapter', key);
  const message = t('{0} more entries of {1} have the same problem.', count - MOST_PROBLEMS, key);
  return [{ ...span, ...like, message, fixes: [] }];
}

/** Findings at the entries that name unreached layers; one fix removes them all. */
function unreachedFindings(
  doc: ExperimentText,
  adapter: TrainedSpec,
  unreached: readonly string[],
): Finding[] {
  if (unreached.length === 0) return [];
  const named = unreached.slice(0, LISTED).join(', ') + (unreached.length > LISTED ? ', …' : '');
  const whole = doc.node('adapter', 'targetModules');
  const fixes: Fix[] =
    whole && !doc.node('adapter', 'excludeModules')
      ? [
          {
            offset: whole.offset + whole.length,
            length: 0,
            title: t('Exclude {0}', named),
            text: `, "excludeModules": ${JSON.stringify(unreached)}`,
            preferred: true,
          },
        ]
      : [];
  const like = { severity: 'error', code: 'target-unreached' } as const;
  const words = (entry: string, layers: string) =>
    t(
      '"{0}" matches layers that do not reach the loss, because they feed another output of the model: {1}.',
      short(entry),
      layers,
    );
  const { targetModules } = adapter;
  if (!Array.isArray(targetModules)) {
    const message = words(targetModules, named);
    return [{ ...doc.span('adapter', 'targetModules'), ...like, message, fixes }];
  }
  const byEntry = new Map<string, string[]>();
  for (const path of unreached)
    for (const entry of entriesFor(path)) {
      const layers = byEntry.get(entry);
      if (layers) layers.push(path);
      else byEntry.set(entry, [path]);
    }
  const places = [...targetModules.keys()].filter((i) => byEntry.has(targetModules[i]));
  const findings = places.slice(0, MOST_PROBLEMS).map((i): Finding => {
    const entry = targetModules[i];
    const node = doc.node('adapter', 'targetModules', i);
    const span = node ? { offset: node.offset, length: node.length } : doc.span('adapter', 'targetModules');
    const layers = byEntry.get(entry)!;
    const message = words(entry, layers.slice(0, LISTED).join(', ') + (layers.length > LISTED ? ', …' : ''));
    return { ...span, ...like, message, fixes };
  });
  return [...findings, ...theRest(doc, 'targetModules', places.length, like)];
}

/** Endings with as many name parts as `entry`, closest first, without duplicates. */
export function nearestEndings(entry: string, paths: readonly string[], count = 3): string[] {
  const names = entry.split('.').length;
  const endings = nearestPaths(entry, paths, paths.length).map((p) => p.split('.').slice(-names).join('.'));
  return [...new Set(endings)].slice(0, count);
}

function excludedFindings(doc: ExperimentText, adapter: TrainedSpec, paths: string[]): Finding[] {
  const excluded = Array.isArray(adapter.excludeModules) ? adapter.excludeModules : [];
  const { unmatched } = matchTargets(paths, { targetModules: excluded });
  const places = placesOf(excluded);
  const like = { severity: 'warning', code: 'exclude-unmatched' } as const;
  const findings = unmatched.slice(0, MOST_PROBLEMS).map((entry): Finding => ({
    ...doc.span('adapter', 'excludeModules', places.get(entry)!),
    ...like,
    message: t('"{0}" matches no module of the model, so it excludes nothing.', short(entry)),
    fixes: [],
  }));
  return [...findings, ...theRest(doc, 'excludeModules', unmatched.length, like)];
}

function rankFindings(doc: ExperimentText, adapter: TrainedSpec, chosen: LayerSummary[]): Finding[] {
  if (!isRankedByLayer(adapter)) return [];
  const limit = (l: LayerSummary) => largestRank(l, adapter);
  const paths = chosen.map((l) => l.path);
  const ranks = chosen.map((l) =>
    fromPattern(l.path, adapter.rankPattern, adapter.rank, 'rankPattern', paths),
  );
  const tooSmall = [...chosen.keys()].filter((i) => ranks[i] > limit(chosen[i]));
  if (tooSmall.length === 0) return [];
  const at = tooSmall.reduce((a, b) => (limit(chosen[b]) < limit(chosen[a]) ? b : a));
  const [least, rank] = [chosen[at], ranks[at]];
  const own = rank === adapter.rank;
  const span = doc.span('adapter', own ? 'rank' : 'rankPattern');
  return [
    {
      ...span,
      severity: 'error',
      code: 'rank-too-large',
      message: t(
        'Rank {0} is too large for {1} ({2} × {3}), where the maximum is {4}. Choose a smaller rank, or set one for this layer in rankPattern.',
        rank,
        least.path,
        least.outFeatures,
        least.inFeatures,
        limit(least),
      ),
      fixes:
        own && doc.node('adapter', 'rank')
          ? [{ ...span, title: t('Set the rank to {0}', limit(least)), text: String(limit(least)) }]
          : [],
    },
  ];
}
