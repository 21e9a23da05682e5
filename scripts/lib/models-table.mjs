import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The lines of docs/models.md between which the table is written. */
export const [BEGIN, END] = ['begin', 'end'].map((edge) => `<!-- families: ${edge} -->`);

const OUTPUTS = {
  encoder: '`last_hidden_state`',
  image: '`last_hidden_state`',
  decoder: '`logits`, `last_hidden_state`',
  experts: '`logits`, `last_hidden_state`',
  diffusion: '`out_sample`',
};

/**
 * The comparisons with PyTorch in folders of reference cases, by `model_type` (or `_class_name`): the number of cases, and
 * the classes whose own heads they include.
 *
 * @param {string[]} folders
 */
function comparedCases(folders) {
  const compared = new Map();
  const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
  for (const folder of folders)
    for (const name of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      const { model, head, objective } = read(join(folder, name));
      const places = model ? [model, `${model}/unet`] : [];
      const config = places.map((path) => join(folder, path, 'config.json')).find(existsSync);
      if (!config) continue;
      const { model_type, _class_name, architectures } = read(config);
      const type = model_type ?? _class_name;
      if (!compared.has(type)) compared.set(type, { cases: 0, heads: new Set() });
      const found = compared.get(type);
      found.cases++;
      const owner = architectures?.find((name) => name.includes('For'));
      if (head === null && objective !== 'causal-lm' && owner) found.heads.add(owner);
    }
  return compared;
}

/**
 * The table of model types in docs/models.md.
 *
 * @param {ReadonlyMap<string, object>} families the registry
 * @param {Readonly<Record<string, Readonly<Record<string, string>>>>} names the models of each type, by kind
 * @param {string[]} folders of reference cases
 */
export function modelsTable(families, names, folders) {
  const compared = comparedCases(folders);
  const rows = [...families].map(([type, family]) => {
    const kind = Object.keys(names).find((kind) => Object.hasOwn(names[kind], type));
    const same = [...families].find(([other, its]) => its === family && compared.has(other))?.[0];
    return `| \`${type}\` | ${names[kind][type]} | ${OUTPUTS[kind]} | ${comparison(compared.get(type), same)} |`;
  });
  return [
    '| `model_type` | Models | Outputs | Compared with PyTorch |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function comparison(found, same) {
  if (!found) return same ? `as \`${same}\`` : 'no case';
  const cases = found.cases === 1 ? '1 case' : `${found.cases} cases`;
  const heads = [...found.heads].sort().map((head) => `\`${head}\``);
  return heads.length > 0 ? `${cases}, with ${heads.join(', ')}` : cases;
}

/** The text of docs/models.md with this table. @param {string} text @param {string} table */
export function withTable(text, table) {
  const [start, stop] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (start < 0 || stop < start) throw new Error(`docs/models.md has no lines ${BEGIN} and ${END}.`);
  return `${text.slice(0, start)}${BEGIN}\n\n${table}\n\n${text.slice(stop)}`;
}
