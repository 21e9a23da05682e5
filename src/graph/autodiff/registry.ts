import type { Node } from '../model';
import { elementwise } from './rules/elementwise';
import type { Rule } from './rule';

/** Every operator that gradients can pass, by domain and name. */
const RULES: Record<string, Rule> = {
  ...elementwise,
};

export const ruleFor = (node: Pick<Node, 'domain' | 'opType'>): Rule | undefined =>
  RULES[node.domain ? `${node.domain}.${node.opType}` : node.opType];

export const differentiableOps = (): string[] => Object.keys(RULES);
