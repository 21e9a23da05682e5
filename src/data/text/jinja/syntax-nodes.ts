import type { Value } from './jinja-values';

/** Arguments as they are written: f(a, *b, c=d, **e). */
export interface ArgumentNodes {
  positional: Expression[];
  named: [string, Expression][];
  rest?: Expression;
  keywords?: Expression;
}

export interface Slice {
  start?: Expression;
  stop?: Expression;
  step?: Expression;
}

export type Expression = { line: number } & (
  | { kind: 'constant'; value: Value }
  | { kind: 'name'; name: string }
  | { kind: 'list' | 'tuple'; items: Expression[] }
  | { kind: 'dict'; pairs: [Expression, Expression][] }
  | { kind: 'conditional'; test: Expression; yes: Expression; no?: Expression }
  | { kind: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'not'; operand: Expression }
  | { kind: 'compare'; first: Expression; rest: [string, Expression][] }
  | { kind: 'concat'; parts: Expression[] }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'sign'; operator: '+' | '-'; operand: Expression }
  | { kind: 'filter' | 'test'; operand?: Expression; name: string; args: ArgumentNodes }
  | { kind: 'call'; callee: Expression; args: ArgumentNodes }
  | { kind: 'attribute'; object: Expression; name: string }
  | { kind: 'item'; object: Expression; key: Expression }
  | { kind: 'slice'; object: Expression; slice: Slice }
);

/** Names are assigned, tuples are unpacked, and only attributes of namespaces can be set. */
export type Target =
  | { kind: 'name'; name: string }
  | { kind: 'member'; name: string; attribute: string }
  | { kind: 'tuple'; items: Target[] };

export interface Parameter {
  name: string;
  fallback?: Expression;
}

export type Statement = { line: number } & (
  | { kind: 'text'; text: string }
  | { kind: 'output'; value: Expression }
  | {
      kind: 'for';
      target: Target;
      items: Expression;
      filter?: Expression;
      recursive: boolean;
      body: Statement[];
      otherwise: Statement[];
    }
  | { kind: 'if'; branches: { test: Expression; body: Statement[] }[]; otherwise: Statement[] }
  | { kind: 'set'; target: Target; value: Expression }
  | { kind: 'capture'; target: Target; filter?: Expression; body: Statement[] }
  | { kind: 'macro'; name: string; parameters: Parameter[]; body: Statement[] }
  | { kind: 'callBlock'; call: Expression; parameters: Parameter[]; body: Statement[] }
  | { kind: 'filterBlock'; filter: Expression; body: Statement[] }
  | { kind: 'with'; bindings: [Target, Expression][]; body: Statement[] }
  | { kind: 'scope' | 'generation'; body: Statement[] }
  | { kind: 'break' | 'continue' }
);
