import type { Graph } from '../../../../src/graph/model';
import { fixSizes } from '../../../../src/graph/sizes/sizes';
import { mostLiveBytes, nodeWork, sum } from '../../../../src/checks/cost/step-work';

/** Counts by name: "products, FLOPs", "bytes moved", "peak live bytes", and "nodes: KIND" for each kind. */
export type Counts = Map<string, number>;

/**
 * The cost of a graph on any machine, for one size of its inputs.
 *
 * @param graph as the runtime reads it
 */
export function countsOf(graph: Graph, inputs: ReadonlyMap<string, number[]>): Counts {
  const fixed = fixSizes(graph, inputs);
  const work = nodeWork(fixed);
  const kinds = new Map<string, number>();
  for (const { domain, opType } of graph.nodes) {
    const kind = domain === '' ? opType : `${domain}.${opType}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return new Map([
    ['products, FLOPs', sum(work.map(({ flops }) => flops))],
    ['bytes moved', sum(work.map(({ bytes }) => bytes))],
    ['peak live bytes', mostLiveBytes(fixed)],
    ['nodes', graph.nodes.length],
    ...[...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, n]) => [`nodes: ${kind}`, n] as const),
  ]);
}

/** Counts of each graph: a number for each of `columns`. */
export interface CountTable {
  update: string;
  columns: string[];
  graphs: Record<string, Record<string, number[]>>;
}

/** @param graphs by name, the counts of each column */
export function countTable(
  update: string,
  columns: string[],
  graphs: ReadonlyMap<string, readonly Counts[]>,
): CountTable {
  const rows = (counts: readonly Counts[]) => {
    const names = [...new Set(counts.flatMap((c) => [...c.keys()]))];
    const kinds = names.filter((n) => n.startsWith('nodes: ')).sort();
    const order = [...names.filter((n) => !kinds.includes(n)), ...kinds];
    return Object.fromEntries(order.map((name) => [name, counts.map((c) => c.get(name) ?? 0)]));
  };
  return {
    update,
    columns,
    graphs: Object.fromEntries([...graphs].map(([name, counts]) => [name, rows(counts)])),
  };
}

/** A row of numbers on each line, so that a review shows what has changed. */
export function tableText({ update, columns, graphs }: CountTable): string {
  const list = (values: readonly (number | string)[]) =>
    `[${values.map((v) => JSON.stringify(v)).join(', ')}]`;
  const blocks = Object.entries(graphs).map(([graph, rows]) => {
    const lines = Object.entries(rows).map(
      ([name, values]) => `      ${JSON.stringify(name)}: ${list(values)}`,
    );
    return `    ${JSON.stringify(graph)}: {\n${lines.join(',\n')}\n    }`;
  });
  return `{\n  "update": ${JSON.stringify(update)},\n  "columns": ${list(columns)},\n  "graphs": {\n${blocks.join(',\n')}\n  }\n}\n`;
}

/** One line for each number that has changed: which graph, which column, which count, before → after. */
export function changes(before: CountTable, after: CountTable): string[] {
  const graphs = union(before.graphs, after.graphs);
  return graphs.flatMap((graph) => {
    const [was, is] = [before.graphs[graph] ?? {}, after.graphs[graph] ?? {}];
    return after.columns.flatMap((column, i) =>
      union(was, is).flatMap((name) => {
        const [a, b] = [was[name]?.[before.columns.indexOf(column)] ?? 0, is[name]?.[i] ?? 0];
        return a === b ? [] : [`${graph}, ${column}: ${name} ${whole(a)} → ${whole(b)}${share(a, b)}`];
      }),
    );
  });
}

const union = (a: object, b: object): string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])];
const whole = (n: number): string => n.toLocaleString('en-US');
const share = (a: number, b: number): string =>
  a === 0 ? '' : ` (${b > a ? '+' : '−'}${Math.abs(100 * (b / a - 1)).toFixed(1)}%)`;
